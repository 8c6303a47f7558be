//! The text form of a record: one line of JSON with a checksum.
//!
//! `{"v":1,"crc":"89abcdef","seq":7,"event":{"paused":{"segment":3,"trial":2}}}`: the checksum is the CRC-32 (IEEE
//! 802.3) of everything after it on the line, from `"seq"` to the last brace.

use serde::Deserialize;

use super::{Event, Record};
use crate::error::JournalError;
use crate::trial::Seq;

/// Version of the line.
const VERSION: u32 = 1;

/// The line of a record, without a line break. Numbers keep every bit; see [`Event::check`] for those that cannot.
pub fn encode(record: &Record) -> String {
    let event = serde_json::to_string(&record.event).expect("an event has string keys only and no failing field");
    let body = format!("\"seq\":{},\"event\":{event}}}", record.seq);
    format!("{{\"v\":{VERSION},\"crc\":\"{:08x}\",{body}", crc32(body.as_bytes()))
}

/// The record of a line; `offset` is where the line stands, for the message.
pub fn decode(line: &str, offset: u64) -> Result<Record, JournalError> {
    let damaged = |reason: String| JournalError::Damaged { offset, reason };
    let rest = line.strip_prefix("{\"v\":").ok_or_else(|| damaged("the line does not begin as one".to_owned()))?;
    let (version, rest) = rest.split_once(',').ok_or_else(|| damaged("the line ends early".to_owned()))?;
    let version: u32 = version.parse().map_err(|_| damaged(format!("`{version}` is no version")))?;
    if version != VERSION {
        return Err(JournalError::Format { found: version, supported: VERSION });
    }
    let (sum, body) = rest
        .strip_prefix("\"crc\":\"")
        .and_then(|rest| rest.split_once("\","))
        .ok_or_else(|| damaged("the checksum is missing".to_owned()))?;
    let found = format!("{:08x}", crc32(body.as_bytes()));
    if sum != found {
        return Err(damaged(format!("the checksum is {sum} but the line's is {found}")));
    }
    let body: Body = serde_json::from_str(&format!("{{{body}")).map_err(|source| damaged(source.to_string()))?;
    Ok(Record { seq: body.seq, event: body.event })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    seq: Seq,
    event: Event,
}

/// CRC-32 of IEEE 802.3, reflected, as zlib and PNG have it.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let fold = |crc: u32, byte: &u8| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8);
    !bytes.iter().fold(u32::MAX, fold)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::History;
    use crate::journal::EndReason;
    use crate::trial::{Outcome, Rung, Segment, TrialId};

    fn reported(values: Vec<f64>) -> Record {
        let outcome = Outcome { values, constraints: vec![], cost: 0.25 };
        let event = Event::Reported { segment: Segment(3), trial: TrialId(2), rung: Rung(1), outcome };
        Record { seq: Seq(7), event }
    }

    #[test]
    fn crc_is_the_published_check_value() {
        // The check value of CRC-32/ISO-HDLC in Koopman's and the RevEng catalogues.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_journal_of_version_1_still_loads() {
        // Written by the first version: an ordered search stopped by its user and resumed.
        let text = include_str!("journal-v1.jsonl");
        let records: Vec<Record> =
            (0..).zip(text.lines()).map(|(offset, line)| decode(line, offset).expect("a line of version 1")).collect();
        let lines: Vec<String> = records.iter().map(encode).collect();
        assert_eq!(lines, text.lines().collect::<Vec<_>>());
        let history = History::replay(&records).expect("it makes sense").expect("it has records");
        assert_eq!(history.trials().len(), 12);
        assert_eq!(history.ended(), Some(EndReason::MaxTrials));
        assert!(!history.is_reproducible() && history.best().is_some());
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let line = encode(&reported(vec![0.1]));
        for i in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[i] ^= 1;
            let text = String::from_utf8(bytes).expect("ascii with the last bit flipped is ascii");
            assert!(decode(&text, 0).is_err(), "byte {i}: {text}");
        }
        for end in 0..line.len() {
            assert!(decode(&line[..end], 0).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn damage_names_its_offset_and_a_newer_line_its_format() {
        let error = decode("garbage", 123).expect_err("garbage");
        assert_eq!(error.to_string(), "the journal is damaged at offset 123: the line does not begin as one");
        let newer = encode(&reported(vec![])).replacen("\"v\":1", "\"v\":2", 1);
        assert!(matches!(decode(&newer, 0), Err(JournalError::Format { found: 2, supported: 1 })));
    }

    proptest! {
        #[test]
        fn numbers_keep_every_bit(bits in proptest::collection::vec(any::<u64>(), 0..8)) {
            let values: Vec<f64> = bits.into_iter().map(f64::from_bits).filter(|x| x.is_finite()).collect();
            let record = reported(values.clone());
            let back = decode(&encode(&record), 0).expect("what was written");
            let Event::Reported { outcome, .. } = back.event else { panic!("another event") };
            let bits = |xs: &[f64]| xs.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&outcome.values), bits(&values));
        }
    }
}

//! From bytes to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::DataError;
use crate::note::Note;

/// Decoded text, and how it was decoded.
pub(crate) struct Decoded<'a> {
    /// The text without its byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// Name of the encoding.
    pub(crate) encoding: &'static str,
    /// Said where the encoding is a guess.
    pub(crate) note: Option<Note>,
}

/// Decodes by the label given, else by the byte order mark, else as UTF-8, else as windows-1252
/// with a note. Text with a zero byte in it, or control characters that no windows-1252 text has,
/// is refused as binary.
pub(crate) fn decode<'a>(path: &str, bytes: &'a [u8], label: Option<&str>) -> Result<Decoded<'a>, DataError> {
    let decoded = decode_any(path, bytes, label)?;
    match decoded.text.bytes().position(|byte| byte == 0) {
        Some(offset) => Err(DataError::Binary { path: path.to_owned(), offset, byte: 0 }),
        None => Ok(decoded),
    }
}

fn decode_any<'a>(path: &str, bytes: &'a [u8], label: Option<&str>) -> Result<Decoded<'a>, DataError> {
    let marked = Encoding::for_bom(bytes);
    if let Some(label) = label {
        let unknown = || DataError::UnknownEncoding { label: label.to_owned() };
        let encoding = Encoding::for_label(label.trim().as_bytes()).ok_or_else(unknown)?;
        let skip = marked.filter(|(marked, _)| *marked == encoding).map_or(0, |(_, length)| length);
        return strict(path, &bytes[skip..], encoding);
    }
    if let Some((encoding, length)) = marked {
        return strict(path, &bytes[length..], encoding);
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => {
            return Ok(Decoded { text: Cow::Borrowed(text), encoding: name(UTF_8), note: None });
        }
        Err(error) => error,
    };
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    if let Some(offset) = bytes.iter().position(control) {
        return Err(DataError::Binary { path: path.to_owned(), offset, byte: bytes[offset] });
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let note = Note::file(format!("byte {} is not UTF-8, read as windows-1252", error.valid_up_to()));
    Ok(Decoded { text, encoding: name(WINDOWS_1252), note: Some(note) })
}

fn strict<'a>(path: &str, bytes: &'a [u8], encoding: &'static Encoding) -> Result<Decoded<'a>, DataError> {
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(Decoded { text, encoding: name(encoding), note: None }),
        None => Err(DataError::Undecodable {
            path: path.to_owned(),
            encoding: name(encoding).to_owned(),
            offset: if encoding == UTF_8 { Encoding::utf8_valid_up_to(bytes) } else { 0 },
        }),
    }
}

/// The name as a person writes it.
fn name(encoding: &'static Encoding) -> &'static str {
    if encoding == UTF_16LE || encoding == UTF_16BE { "UTF-16" } else { encoding.name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_bytes_tell_the_encoding() {
        let utf16: Vec<u8> = [0xfeff].into_iter().chain("a,é".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let reversed: Vec<u8> = [0xfeff].into_iter().chain("a,é".encode_utf16()).flat_map(u16::to_be_bytes).collect();
        for (bytes, encoding) in [
            ("a,é".as_bytes(), "UTF-8"),
            ("\u{feff}a,é".as_bytes(), "UTF-8"),
            (utf16.as_slice(), "UTF-16"),
            (reversed.as_slice(), "UTF-16"),
            (b"a,\xe9".as_slice(), "windows-1252"),
        ] {
            let decoded = decode("f", bytes, None).unwrap();
            assert_eq!((decoded.text.as_ref(), decoded.encoding), ("a,é", encoding));
            assert_eq!(decoded.note.is_some(), encoding == "windows-1252");
        }
    }

    #[test]
    fn a_named_encoding_is_taken_at_its_word() {
        let decoded = decode("f", b"a\xb1", Some("iso-8859-2")).unwrap();
        assert_eq!((decoded.text.as_ref(), decoded.encoding), ("aą", "ISO-8859-2"));
        assert!(matches!(decode("f", b"a\xe9", Some("utf-8")), Err(DataError::Undecodable { offset: 1, .. })));
        assert!(matches!(decode("f", b"a", Some("latin-9000")), Err(DataError::UnknownEncoding { .. })));
    }

    #[test]
    fn binary_is_refused() {
        assert!(matches!(decode("f", b"ab\0", None), Err(DataError::Binary { offset: 2, .. })));
        assert!(matches!(decode("f", b"\x89PNG\x1a", None), Err(DataError::Binary { .. })));
    }
}

//! The model file.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic `AUTOML\r\n`; the line end shows a transfer in text mode |
//! | 4 | version, little-endian `u32` |
//! | 8 | payload length in bytes, little-endian `u64` |
//! | 32 | SHA-256 of the payload |
//! | rest | payload: [`Fitted`] as MessagePack with named fields |

use sha2::{Digest, Sha256};

use crate::error::ModelError;
use crate::model::Fitted;

/// The first bytes of every model file.
pub const MAGIC: &[u8; 8] = b"AUTOML\r\n";
/// The version this program writes and reads.
pub const VERSION: u32 = 1;

const HEADER: usize = 8 + 4 + 8 + 32;

/// Writes a model file. The same model gives the same bytes.
pub fn to_bytes(model: &Fitted) -> Result<Vec<u8>, ModelError> {
    model.check()?;
    let payload = rmp_serde::to_vec_named(model).map_err(|error| payload_error(&error))?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&checksum(&payload));
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// Reads a model file. Whatever the bytes are, the outcome is a model that can predict or an error.
pub fn from_bytes(bytes: &[u8]) -> Result<Fitted, ModelError> {
    let found = bytes.len() as u64;
    let truncated = |expected: u64| ModelError::Truncated { expected, found };
    if bytes.is_empty() || bytes[..bytes.len().min(MAGIC.len())] != MAGIC[..bytes.len().min(MAGIC.len())] {
        return Err(ModelError::NotAModel);
    }
    let (header, payload) = bytes.split_at_checked(HEADER).ok_or_else(|| truncated(HEADER as u64))?;
    let version = u32::from_le_bytes(array(&header[8..12]));
    if version != VERSION {
        return Err(ModelError::Version { found: version, supported: VERSION });
    }
    let length = u64::from_le_bytes(array(&header[12..20]));
    if payload.len() as u64 != length {
        return Err(truncated(length.saturating_add(HEADER as u64)));
    }
    let expected: [u8; 32] = array(&header[20..HEADER]);
    let actual = checksum(payload);
    if actual != expected {
        return Err(ModelError::Checksum { expected: hex(&expected), found: hex(&actual) });
    }
    let model: Fitted = rmp_serde::from_slice(payload).map_err(|error| payload_error(&error))?;
    model.check()?;
    Ok(model)
}

fn payload_error(error: &dyn std::error::Error) -> ModelError {
    ModelError::Payload { reason: error.to_string() }
}

fn checksum(payload: &[u8]) -> [u8; 32] {
    Sha256::digest(payload).into()
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the caller slices exactly N bytes")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

//! The embedded database: how it is opened, its tables, its transactions.

mod connection;
#[cfg(test)]
mod old_formats;
mod schema;

pub(crate) use connection::{Durability, Fault, Store};

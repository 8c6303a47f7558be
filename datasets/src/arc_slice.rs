//! Shared slices in serde's form of a plain list, so that serde's reference-counting feature is not
//! needed.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<T: Serialize, S: Serializer>(slice: &Arc<[T]>, serializer: S) -> Result<S::Ok, S::Error> {
    slice.as_ref().serialize(serializer)
}

pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<[T]>, D::Error> {
    Vec::<T>::deserialize(deserializer).map(Arc::from)
}

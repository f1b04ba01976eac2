use etlgen_runtime::prelude::*;

/// A postal address.
#[derive(Record)]
pub struct Address {
    pub city: Option<String>,
    /// Two letters, ISO 3166.
    pub country: Option<String>,
    pub line1: Option<String>,
    pub postal_code: Option<String>,
}

use etlgen_runtime::prelude::*;

/// A person or an organisation.
#[derive(Record)]
pub struct User {
    pub id: Option<i64>,
    /// The name in the account's URL.
    pub login: Option<String>,
    pub html_url: Option<String>,
}

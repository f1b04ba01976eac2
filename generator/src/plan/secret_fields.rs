//! Fields of records that look like secrets, by their names and texts.

use super::{Field, Plan, Type};

/// Names of secrets, and ends of such names behind `_`.
const NAMES: [&str; 9] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "private_key",
    "api_key",
    "access_token",
    "refresh_token",
    "client_secret",
];

impl Plan {
    /// Returns the fields that look like secrets, as struct and key, in the order of the crate.
    pub fn secret_fields(&self) -> Vec<String> {
        let own = self.resources.iter().flat_map(|resource| &resource.structs);
        let structs = own.chain(&self.types);
        let found = structs.flat_map(|body| {
            let fields = body.fields.iter().filter(|field| is_secret(field));
            fields.map(|field| format!("{}.{}", body.name, super::plain_text(&field.key)))
        });
        found.collect()
    }
}

/// Returns whether a text field is named like a secret, or its documentation calls it one.
fn is_secret(field: &Field) -> bool {
    let ends = |name: &str| field.ident == name || field.ident.ends_with(&format!("_{name}"));
    let doc = field.doc.to_lowercase();
    let said = ["plaintext secret", "secret value", "the secret key"];
    let is_text = matches!(field.ty, Type::String | Type::Json);
    is_text && (NAMES.iter().any(|name| ends(name)) || said.iter().any(|text| doc.contains(text)))
}

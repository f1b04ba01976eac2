//! STUB until the settings module is merged.

/// A secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
impl From<&str> for Secret {
    fn from(s: &str) -> Self {
        Secret(s.to_owned())
    }
}
impl From<&Secret> for Secret {
    fn from(s: &Secret) -> Self {
        s.clone()
    }
}
impl From<&String> for Secret {
    fn from(s: &String) -> Self {
        Secret(s.clone())
    }
}
/// Stub.
pub struct Redactor(Vec<Secret>);
impl Redactor {
    /// Stub.
    pub fn new(s: Vec<Secret>) -> Self {
        Redactor(s)
    }
    /// Stub.
    pub fn redact(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |t, s| t.replace(s.expose(), "***"))
    }
}
/// Stub
pub trait Settings {}

//! `base_url`: the URL of the API.

use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, TopKey};
use crate::overrides::subject::Whole;
use crate::overrides::value::Value;

/// An absolute URL without a slash at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseUrl(String);

impl Key for BaseUrl {
    const ABOUT: About = About {
        name: "base_url",
        takes: "a URL",
        does: "The URL of the API, unless a setting overrides it. By default the first server of the document.",
        examples: &["base_url = \"https://api.shop.example/v2\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.text(faults)?;
        match is_url(&text) {
            true => Some(BaseUrl(text.trim_end_matches('/').to_owned())),
            false => {
                let message = format!("`{}` is `{text}`, which is not an http(s) URL", value.key);
                let hint = match text.contains("://") {
                    true => "write one that begins with `https://`".to_owned(),
                    false => format!("write `https://{}`", text.trim_start_matches('/')),
                };
                faults.add(value.place, message).hint(hint);
                None
            }
        }
    }
}

impl TopKey for BaseUrl {
    fn apply(&self, _place: Place, on: &mut Whole<'_>) {
        on.facts.base_url.clone_from(&self.0);
    }
}

/// Returns whether a text looks like an http(s) URL with a host.
pub fn is_url(text: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && rest.chars().all(|c| c.is_ascii_graphic())
    })
}

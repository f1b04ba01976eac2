//! `spec`, `overlay` and `name`: the document, and the name of the source.

use crate::overrides::about::About;
use crate::overrides::file::{At, Faults};
use crate::overrides::key::{Key, TopKey};
use crate::overrides::resource::name::{is_name, refuse};
use crate::overrides::value::Value;

/// The file or URL of the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec(pub String);

impl Key for Spec {
    const ABOUT: About = About {
        name: "spec",
        takes: "a file or a URL",
        does: "The OpenAPI document. A file is relative to the folder of `etlgen.toml`.",
        examples: &["spec = \"../api.yaml\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.text(faults).map(Spec)
    }
}

impl TopKey for Spec {}

/// Documents that repair it.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay(pub Vec<At<String>>);

impl Key for Overlay {
    const ABOUT: About = About {
        name: "overlay",
        takes: "a list of files or URLs",
        does: "OpenAPI Overlays that repair the document, in the order in which they are applied.",
        examples: &["overlay = [\"fixes.yaml\"]"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.texts(faults).map(Overlay)
    }
}

impl TopKey for Overlay {}

/// The source's name.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceName(pub String);

impl Key for SourceName {
    const ABOUT: About = About {
        name: "name",
        takes: "a name: small letters, digits, `_` and `-`",
        does: "The source's name; the crate is called NAME-connector. By default it is made from the document's title.",
        examples: &["name = \"shop\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.text(faults)?;
        match is_name(&text.replace('-', "_")) {
            true => Some(SourceName(text)),
            false => {
                refuse(value, &text, faults);
                None
            }
        }
    }
}

impl TopKey for SourceName {}

//! What a connector has to be told: typed settings and credentials, and where they are looked up.
//!
//! Each field of a `#[derive(Settings)]` struct is looked up as a flag (`--api-key`), in the environment
//! (`BILLING_API_KEY`), in `.env`, and in `billing.toml` (`api_key`), in that order; then its default counts. An empty
//! value is none. Fields are `String` or [`Secret`], or an `Option` of one for what may be left out.

mod lookup;
mod secret;

pub use etlgen_derive::Settings;
pub use lookup::Places;
pub use secret::{Redactor, Secret};

use crate::error::Result;

/// A struct of settings; `#[derive(Settings)]` implements it.
pub trait Settings: Sized {
    /// Begins the names of environment variables, and is in lower case the name of the TOML file.
    const PREFIX: &'static str;
    /// The settings, in the order of the struct.
    const SETTINGS: &'static [Setting];

    /// Makes the struct of the values found, one per setting, in order.
    #[doc(hidden)]
    fn from_values(values: &mut dyn Iterator<Item = Option<String>>) -> Self;

    /// Looks every setting up in the environment and in the files of the current folder.
    fn load() -> Result<Self> {
        Self::load_from(&Places::here(Self::PREFIX)?)
    }

    /// Looks every setting up in these places.
    fn load_from(places: &Places) -> Result<Self> {
        let values = places.values(Self::SETTINGS)?;
        Ok(Self::from_values(&mut values.into_iter()))
    }

    /// Settings to look at a source with, not to run it: defaults, and `placeholder` where there is none.
    fn placeholder() -> Self {
        let values = Self::SETTINGS.iter().map(|setting| match setting.default {
            Some(default) => Some(default.to_owned()),
            None => (!setting.optional).then(|| "placeholder".to_owned()),
        });
        Self::from_values(&mut values.collect::<Vec<_>>().into_iter())
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name of the field.
    pub name: &'static str,
    /// The doc comment of the field.
    pub help: &'static str,
    /// What counts if it is found nowhere.
    pub default: Option<&'static str>,
    /// It may be left out.
    pub optional: bool,
    /// It is never shown.
    pub secret: bool,
}

/// A type that a setting can have.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a setting",
    note = "a setting is a String or a Secret, or an Option of one"
)]
pub trait SettingType {
    const OPTIONAL: bool;
    const SECRET: bool;
    fn from_value(value: Option<String>) -> Self;
}

impl SettingType for String {
    const OPTIONAL: bool = false;
    const SECRET: bool = false;
    fn from_value(value: Option<String>) -> Self {
        value.unwrap_or_default()
    }
}

impl SettingType for Secret {
    const OPTIONAL: bool = false;
    const SECRET: bool = true;
    fn from_value(value: Option<String>) -> Self {
        Secret::new(value.unwrap_or_default())
    }
}

impl<T: SettingType> SettingType for Option<T> {
    const OPTIONAL: bool = true;
    const SECRET: bool = T::SECRET;
    fn from_value(value: Option<String>) -> Self {
        value.map(|value| T::from_value(Some(value)))
    }
}

#[cfg(test)]
mod tests;

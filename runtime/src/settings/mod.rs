//! The settings and credentials of a connector, and where they are looked up.
//!
//! Each field of a `#[derive(Settings)]` struct is looked up as a flag (`--api-key`), in the
//! environment (`BILLING_API_KEY`), in `.env`, and in `billing.toml` (`api_key`), in that order;
//! without any, its default is used. An empty value counts as missing. A secret may stand in a file
//! that `BILLING_API_KEY_FILE` names, without its last line break. Fields are `String` or
//! [`Secret`], or an `Option` of one if they may be missing.

mod lookup;
mod private;
mod secret;

pub use etlgen_derive::Settings;
pub use etlgen_model::flag;
pub use lookup::Places;
pub(crate) use lookup::takes_file;
pub(crate) use private::private_file;
pub use secret::{Redactor, Secret};

use crate::error::Result;

/// A struct of settings; `#[derive(Settings)]` implements it.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Settings)]
/// #[settings(prefix = "SHOP")]
/// struct Config {
///     /// The address of the API.
///     #[settings(default = "https://api.shop.example")]
///     base_url: String,
///     /// The key of the API: `SHOP_API_KEY`.
///     api_key: Secret,
/// }
///
/// let config = Config::placeholder();
/// assert_eq!(config.base_url, "https://api.shop.example");
/// assert_eq!(config.api_key.expose(), "placeholder");
/// ```
pub trait Settings: Sized {
    /// The prefix of the environment variables; in lower case, the name of the TOML file.
    const PREFIX: &'static str;
    /// The settings, in the order of the struct.
    const SETTINGS: &'static [Setting];

    /// Builds the struct from the values found, one per setting, in order.
    #[doc(hidden)]
    fn from_values(values: &mut dyn Iterator<Item = Option<String>>) -> Self;

    /// Looks up all settings in the environment and in the files of the current folder. One error
    /// names all missing values.
    fn load() -> Result<Self> {
        Self::load_from(&Places::here(Self::PREFIX)?)
    }

    /// Looks up all settings in these places.
    fn load_from(places: &Places) -> Result<Self> {
        let values = places.values(Self::SETTINGS)?;
        Ok(Self::from_values(&mut values.into_iter()))
    }

    /// Returns settings for commands that send no request: defaults, and `placeholder` for settings
    /// without one.
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
#[non_exhaustive]
pub struct Setting {
    /// The name of the field.
    pub name: &'static str,
    /// The doc comment of the field.
    pub help: &'static str,
    /// The default value.
    pub default: Option<&'static str>,
    /// Whether it may be absent.
    pub optional: bool,
    /// Whether it is never printed.
    pub secret: bool,
}

impl Setting {
    /// Creates the setting of a field with this type; the derive calls it.
    #[doc(hidden)]
    pub const fn new<T: SettingType>(
        name: &'static str,
        help: &'static str,
        default: Option<&'static str>,
    ) -> Self {
        Setting {
            name,
            help,
            default,
            optional: T::OPTIONAL,
            secret: T::SECRET,
        }
    }
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

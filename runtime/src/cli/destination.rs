//! The option `--destination`, and what serves in its place.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::values::filled;
use crate::error::{Error, Result};
use crate::load::{Destination, Destinations};
use crate::settings::{Places, Setting};

const NAME: &str = "destination";

/// The destination that `--destination` names.
#[derive(Clone)]
pub struct Named {
    url: String,
    known: Destinations,
}

impl Named {
    /// Opens the destination.
    pub fn open(&self) -> Result<Box<dyn Destination>> {
        self.known.open(&self.url)
    }
}

/// What the command line knows about destinations.
pub struct Into {
    known: Destinations,
    /// The destination without any setting.
    default: Option<String>,
    /// The destination of the environment or of the settings file, which may hold a password.
    set: Option<String>,
    /// The variable that names it.
    variable: Option<String>,
    /// Why the destination that is set cannot be read.
    wrong: Option<Error>,
}

impl Into {
    pub fn new(known: Destinations, source: &str) -> Self {
        Into {
            default: known.default_url(source),
            known,
            set: None,
            variable: None,
            wrong: None,
        }
    }

    /// Adds the destination that these places set.
    pub fn set_by(mut self, places: &Places, settings: &[Setting]) -> Self {
        self.variable = places.destination_variable(settings);
        match places.destination(settings) {
            Ok(set) => self.set = set,
            Err(error) => self.wrong = Some(error),
        }
        self
    }

    /// Returns the option of a command.
    pub fn arg(&self) -> Arg {
        let known = self.known.clone();
        // A wrong name is reported when the run opens it, so that the report contains the error.
        let named = move |url: &str| {
            let (url, known) = (filled(url)?, known.clone());
            Ok::<_, String>(Named { url, known })
        };
        let forms = self.known.forms().join(" or ");
        let mut help = format!("Use this destination: {forms}");
        if let Some(variable) = &self.variable {
            help.push_str(&format!(
                " [env: {variable}, or {variable}_FILE with a file that holds it]"
            ));
        }
        let default = self.set.as_ref().or(self.default.as_ref());
        Arg::new(NAME)
            .long(NAME)
            .value_name("URL")
            .value_parser(named)
            .default_value(clap::builder::Resettable::from(
                default.map(|url| clap::builder::OsStr::from(url.clone())),
            ))
            .hide_default_value(self.set.is_some())
            .help(help)
    }

    /// Fails if the command uses a destination that is set and cannot be read.
    pub fn check(&mut self, matches: &ArgMatches) -> Result<()> {
        let mut leaf = matches;
        while let Some((_, inner)) = leaf.subcommand() {
            leaf = inner;
        }
        let has_option = leaf.try_contains_id(NAME).is_ok();
        let given = has_option && leaf.value_source(NAME) == Some(ValueSource::CommandLine);
        match self.wrong.take() {
            Some(error) if has_option && !given => Err(error),
            _ => Ok(()),
        }
    }
}

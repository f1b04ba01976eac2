//! An Airbyte source: `connector airbyte spec|check|discover|read`, or the connector called through a
//! link named `source-…`.
//!
//! Every message is one line on standard output.

mod catalog;
mod messages;
mod out;
mod read;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};

use self::out::Out;
use super::Crate;
use super::connector::{Configured, file, json, object, parsed};
use super::process::block_on;
use super::streams::Streams;
use crate::error::{Error, Result};
use crate::run;
use crate::schema::Dialect;
use crate::settings::{Redactor, Settings};

/// The command that runs the source.
pub(super) const COMMAND: &str = "airbyte";

/// How the schemas of Airbyte call what JSON does not have. A number would lose the digits of a
/// decimal.
const DIALECT: Dialect = Dialect {
    decimal: &[],
    timestamp: &[
        ("format", "date-time"),
        ("airbyte_type", "timestamp_with_timezone"),
    ],
    uuid: &[],
};

/// Runs the source. `name` is that of the link.
pub(super) fn main<C: Settings>(of: &Crate<'_, C>, name: &str, args: &[OsString]) -> ExitCode {
    let matches = match parsed(command(name, of.version), name, args) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let out = Out::stdout();
    let mut redactor = None;
    match source(of, &matches, (&out, &mut redactor)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            out.error(&error, None, redactor.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn command(name: &str, version: &str) -> Command {
    let config = || file("config", "Read the settings from this JSON file").required(true);
    let debug = Arg::new("debug")
        .long("debug")
        .action(ArgAction::SetTrue)
        .global(true)
        .hide(true);
    Command::new(name.to_owned())
        .version(version.to_owned())
        .about("Run as an Airbyte source: print the messages of its protocol")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(debug)
        .subcommand(Command::new("spec").about("Print the settings"))
        .subcommand(
            Command::new("check")
                .about("Check the credentials with one request")
                .arg(config()),
        )
        .subcommand(
            Command::new("discover")
                .about("Print the catalog")
                .arg(config()),
        )
        .subcommand(
            Command::new("read")
                .about("Print the records of the streams that the catalog configures")
                .arg(config())
                .arg(file("catalog", "The configured catalog").required(true))
                .arg(file("state", "Start from the states in this file")),
        )
}

/// Does what the arguments say; returns whether it has succeeded.
fn source<C: Settings>(
    of: &Crate<'_, C>,
    matches: &ArgMatches,
    (out, redactor): (&Out, &mut Option<Redactor>),
) -> Result<bool> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Ok(false);
    };
    if verb == "spec" {
        out.message("SPEC", "spec", spec::<C>())?;
        return Ok(true);
    }
    let file = |id: &str| matches.get_one::<PathBuf>(id).map(PathBuf::as_path);
    let config = file("config").map_or_else(|| Ok(Map::new()), object);
    let configured = config.and_then(|config| of.configured(&config, verb != "discover"));
    let Configured {
        source,
        redactor: hides,
    } = match configured {
        Ok(configured) => configured,
        Err(error) if verb == "check" => return status(out, Err(error)),
        Err(error) => return Err(error),
    };
    let hides = redactor.insert(hides);
    match verb {
        "check" => {
            let checked = block_on(run::check(&source)).and_then(|checked| checked);
            status(
                out,
                checked.map_err(|error| error.map_message(|text| hides.redact(text))),
            )
        }
        "discover" => {
            let streams = Streams::of(&source)?;
            for (name, reason) in &streams.unfit {
                out.log("WARN", &format!("{name} is not in the catalog: {reason}"));
            }
            out.message("CATALOG", "catalog", catalog::discovered(&streams))?;
            Ok(true)
        }
        _ => {
            let streams = Streams::of(&source)?;
            let read = |id: &str| file(id).map(json).transpose();
            let catalog = read("catalog")?.unwrap_or_default();
            let configured = catalog::Configured::of(&catalog, &streams)?;
            read::read(
                &source,
                configured,
                &read("state")?.unwrap_or_default(),
                (out, hides),
            )
        }
    }
}

/// Writes the status of a connection. A failure is no error of this program.
fn status(out: &Out, checked: Result<String>) -> Result<bool> {
    let (status, message) = match checked {
        Ok(message) => ("SUCCEEDED", message),
        Err(error) => ("FAILED", Error::report(&error)),
    };
    let status = json!({"status": status, "message": message});
    out.message("CONNECTION_STATUS", "connectionStatus", status)?;
    Ok(true)
}

/// Returns the settings.
fn spec<C: Settings>() -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let schemas = Crate::<C>::setting_schemas("airbyte_secret");
    for (order, (name, is_required, mut schema)) in schemas.into_iter().enumerate() {
        schema.insert("order".to_owned(), order.into());
        if is_required {
            required.push(name);
        }
        properties.insert(name.to_owned(), Value::Object(schema));
    }
    json!({
        "connectionSpecification": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": format!("{} source", C::PREFIX.to_lowercase()),
            "type": "object",
            "required": required,
            "properties": properties,
            "additionalProperties": true,
        },
    })
}

//! The ways in which a connector is run besides its own command line: as a Singer tap (feature
//! `singer`), as an Airbyte source (feature `airbyte`).
//!
//! [`cli::main`](crate::cli::main) is all of them: `connector singer …`, `connector airbyte …`, and a
//! link to the connector whose name begins with `tap-` or `source-`.

#[cfg(feature = "airbyte")]
mod airbyte;
#[cfg(any(feature = "singer", feature = "airbyte"))]
mod bookmarks;
#[cfg(any(feature = "singer", feature = "airbyte"))]
mod connector;
#[cfg(feature = "singer")]
mod log;
pub(crate) mod process;
#[cfg(feature = "singer")]
mod singer;
#[cfg(any(feature = "singer", feature = "airbyte"))]
mod streams;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::settings::Settings;
use crate::source::Source;

/// Runs a connector as the host that its arguments or the name of its link ask for; returns `None`
/// if they ask for none. For programs that read their arguments themselves; the first one is the name
/// of the program.
///
/// ```
/// use etlgen_runtime::hosts;
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Settings)]
/// #[settings(prefix = "SHOP")]
/// struct Config {
///     /// The key of the API.
///     api_key: Secret,
/// }
///
/// fn source(config: &Config) -> Source {
///     Source::new("shop", "https://api.shop.example").auth(Auth::bearer(config.api_key.expose()))
/// }
///
/// let args = ["shop-connector", "sync"];
/// assert!(hosts::run("shop-connector", "1.0.0", source, args).is_none());
/// ```
pub fn run<C: Settings>(
    name: &str,
    version: &str,
    source: fn(&C) -> Source,
    args: impl IntoIterator<Item = impl Into<OsString>>,
) -> Option<ExitCode> {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    called(name, &Crate { version, source }, &args)
}

/// What a host knows of the connector.
#[cfg_attr(
    not(any(feature = "singer", feature = "airbyte")),
    expect(dead_code, reason = "no host reads it")
)]
struct Crate<'a, C> {
    pub version: &'a str,
    pub source: fn(&C) -> Source,
}

/// A host: what the first argument calls it, and what the name of a link to the connector begins
/// with.
struct Host<C> {
    command: &'static str,
    link: &'static str,
    run: fn(&Crate<'_, C>, &str, &[OsString]) -> ExitCode,
}

/// Runs the connector as the host that its arguments or the name of its link ask for; `None`: they
/// ask for none. `args` begin with the name of the program.
fn called<C: Settings>(crate_name: &str, of: &Crate<'_, C>, args: &[OsString]) -> Option<ExitCode> {
    let hosts: Vec<Host<C>> = vec![
        #[cfg(feature = "singer")]
        Host {
            command: singer::COMMAND,
            link: "tap-",
            run: singer::main::<C>,
        },
        #[cfg(feature = "airbyte")]
        Host {
            command: airbyte::COMMAND,
            link: "source-",
            run: airbyte::main::<C>,
        },
    ];
    let program = std::path::Path::new(args.first()?)
        .file_name()?
        .to_string_lossy();
    for host in hosts {
        if program.starts_with(host.link) {
            return Some((host.run)(of, &program, args.get(1..).unwrap_or_default()));
        }
        if args.get(1).is_some_and(|arg| arg == host.command) {
            let source = crate_name.strip_suffix("-connector");
            let name = format!("{}{}", host.link, source.unwrap_or(crate_name));
            return Some((host.run)(of, &name, args.get(2..).unwrap_or_default()));
        }
    }
    None
}

//! The destination of a command.

use clap::ArgMatches;

use super::destination::Named;
use crate::error::{Error, ErrorKind, Result};
use crate::load::{self, Destination, LoadInfo, Memory};
use crate::run;
use crate::source::Source;
use crate::state::Declared;

/// Returns the destination of the command line, without opening it.
pub(super) fn into(matches: &ArgMatches) -> Result<Box<dyn Destination>> {
    match matches.get_one::<Named>("destination") {
        Some(named) => named.open(),
        None => Err(
            Error::new(ErrorKind::Usage, "there is no default destination")
                .hint("name one with `--destination`"),
        ),
    }
}

/// Opens an existing destination; the state excludes the declarations of resources.
pub(super) fn open(
    matches: &ArgMatches,
    source: &Source,
) -> Result<(Box<dyn Destination>, Memory)> {
    let (into, mut memory) = open_whole(matches, source)?;
    Declared::take(&mut memory.state)?;
    Ok((into, memory))
}

/// Opens an existing destination; the state includes the declarations of resources.
pub(super) fn open_whole(
    matches: &ArgMatches,
    source: &Source,
) -> Result<(Box<dyn Destination>, Memory)> {
    let mut into = into(matches)?;
    if !into.exists() {
        let message = format!("{} does not exist", into.describe());
        return Err(Error::new(ErrorKind::Destination, message).hint("`sync` creates it"));
    }
    let load = LoadInfo::new(run::load_id(source.world.time()), source.name(), None);
    let memory = load::open(&mut *into, &load.within(&source.world))?;
    Ok((into, memory))
}

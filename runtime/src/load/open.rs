//! Opens a destination, or reads one without opening it, and adds its capabilities to its memory.

use super::{Destination, LoadInfo, checks};
use crate::error::{Error, Result};
use crate::state::Memory;

/// Opens a destination for a load.
pub(crate) fn open(destination: &mut dyn Destination, load: &LoadInfo) -> Result<Memory> {
    let memory = destination.open(load)?;
    complete(destination, load, memory)
}

/// Reads the memory of a destination without opening it.
#[cfg(feature = "cli")]
pub(crate) fn look(destination: &dyn Destination, load: &LoadInfo) -> Result<Memory> {
    let memory = destination.look(load)?;
    complete(destination, load, memory)
}

fn complete(destination: &dyn Destination, load: &LoadInfo, memory: Memory) -> Result<Memory> {
    let place = |error: Error| error.at(destination.describe());
    checks::layout(load, &memory).map_err(place)?;
    let capabilities = destination.capabilities();
    Ok(Memory {
        capabilities,
        ..memory
    })
}

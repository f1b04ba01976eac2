//! Names of folders and files.

/// The folder for internal files.
pub const OWN: &str = "_etl";

/// The folder of the table of drift.
pub const DRIFT: &str = "_etl_drift";

/// The extension of a data file.
pub const ENDING: &str = ".parquet";

/// Splits the name of a data file into the name without its extension and the number; `None` if it
/// is not the name of one.
pub fn parse(file: &str) -> Option<(&str, u32)> {
    let name = file.strip_suffix(ENDING)?;
    let (load, number) = name.rsplit_once('-')?;
    let ours = !load.is_empty() && load.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    Some((name, number.parse().ok()?)).filter(|_| ours)
}

/// Returns whether a folder can have the name of that table.
pub fn is_folder_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name != OWN
        && name != DRIFT
        && !name.contains(['/', '\\', ':', '\0'])
}

/// Returns the first part of the names of files that a load writes, with digits of its run if there are any.
pub fn prefix(load: &str, digits: Option<&str>) -> String {
    let of_load = |letter: &char| letter.is_ascii_digit() || *letter == '.';
    let load: String = load.chars().filter(of_load).collect();
    let load = if load.is_empty() { "0" } else { &load };
    match digits {
        Some(digits) => format!("{load}.{digits}"),
        None => load.to_owned(),
    }
}

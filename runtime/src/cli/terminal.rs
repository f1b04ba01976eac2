//! The terminal that the command line writes to.

use std::io::IsTerminal;

use console::Term;

use crate::run::Screen;

/// The narrowest lines that are written; a terminal that is narrower wraps them.
const NARROWEST: usize = 40;

/// Returns what standard output shows.
pub fn out() -> Screen {
    screen(&Term::stdout(), console::colors_enabled())
}

/// Returns what standard error shows.
pub fn err() -> Screen {
    screen(&Term::stderr(), console::colors_enabled_stderr())
}

fn screen(term: &Term, colours: bool) -> Screen {
    let plain = Screen::default();
    // Without a terminal, and on one that does not know its size, lines have the usual width.
    let size = term.size_checked().filter(|(_, columns)| *columns > 0);
    Screen {
        width: size.map_or(plain.width, |(_, columns)| {
            usize::from(columns).max(NARROWEST)
        }),
        colours,
    }
}

/// Returns whether lines of standard error can be drawn again: it is a terminal that can move its cursor, and that a
/// person looks at.
pub fn draws() -> bool {
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    std::io::stderr().is_terminal() && !console::is_dumb() && !is_ci
}

/// Returns the lines of standard error, if it knows them.
pub fn lines() -> usize {
    let size = Term::stderr().size_checked();
    size.map_or(24, |(lines, _)| usize::from(lines))
}

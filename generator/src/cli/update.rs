//! `etlgen update`.

use std::path::PathBuf;

use super::{End, out, print_missing_licenses, print_notes, say};
use crate::diagnostics::{Diagnostic, Kind, printable};
use crate::diff::summary;
use crate::project::{Accept, Bump, Conflict, Outcome, Release, Side, dirty};
use crate::{Update, UpdateOptions};

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of the crate
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Use another document this time: a file, a URL, or `-` [default: the `spec` of etlgen.toml]
    #[arg(long)]
    spec: Option<String>,
    /// Show what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Show the changes of each file, too
    #[arg(long)]
    diff: bool,
    /// Leave CHANGELOG.md unchanged [default: the `changelog` of etlgen.toml, else it is written]
    #[arg(long)]
    no_changelog: bool,
    /// Leave the version in Cargo.toml unchanged [default: the `bump` of etlgen.toml, else it is raised]
    #[arg(long)]
    no_bump: bool,
    /// Settle the conflicts of a file by one side, `mine` or `theirs`; may be repeated
    #[arg(long, num_args = 2, value_names = ["SIDE", "FILE"])]
    accept: Vec<String>,
    /// Write although git has uncommitted changes in the crate
    #[arg(long)]
    allow_dirty: bool,
}

/// The most regenerated files that are named.
const FOLLOWED: usize = 20;

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    let options = UpdateOptions {
        spec: arguments.spec.clone(),
        accept: accept(&arguments.accept)?,
        no_changelog: arguments.no_changelog,
        no_bump: arguments.no_bump,
        dry_run: arguments.dry_run,
    };
    let update = crate::update(&arguments.folder, &options)?;
    print_notes(&update.notes, false);
    if update.is_empty() {
        out("nothing has changed");
        return Ok(End::Done);
    }
    // An update that left conflicts open is not committed yet.
    if !arguments.dry_run && !arguments.allow_dirty && !update.settles() {
        refuse_dirty(&dirty(&arguments.folder)?)?;
    }
    report(&update, &options.accept);
    if arguments.diff {
        diff(&update)?;
    }
    if arguments.dry_run {
        out("nothing was written");
    } else {
        update.apply()?;
        print_missing_licenses(update.package(), &arguments.folder);
    }
    if update.conflicts.is_empty() {
        return Ok(End::Done);
    }
    conflicts(&update.conflicts);
    Ok(End::Conflicts)
}

/// Refuses an update over uncommitted changes, which you could neither see nor undo.
fn refuse_dirty(dirty: &[String]) -> Result<(), Diagnostic> {
    if dirty.is_empty() {
        return Ok(());
    }
    let shown = dirty.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = if dirty.len() > 5 { ", …" } else { "" };
    Err(
        Diagnostic::error(Kind::Crate, format!("not committed: {shown}{more}")).with_hint(
            "commit first, so that you can see and undo the update, or pass `--allow-dirty`; nothing was written",
        ),
    )
}

fn accept(words: &[String]) -> Result<Accept, Diagnostic> {
    let pairs = words.chunks(2).map(|pair| {
        let side = match pair[0].as_str() {
            // Conflict markers of earlier releases said `yours`.
            "mine" | "yours" => Side::Mine,
            "theirs" => Side::Theirs,
            other => {
                let message = format!("`--accept {other}`: unknown side");
                return Err(Diagnostic::error(Kind::Usage, message)
                    .with_hint("`mine` is what you wrote, `theirs` what is generated now"));
            }
        };
        let path = pair.get(1).map_or("", String::as_str);
        let path = path.trim_start_matches("./").replace('\\', "/");
        Ok((path, side))
    });
    pairs.collect()
}

fn report(update: &Update, accept: &Accept) {
    let mut followed = Vec::new();
    for (path, outcome) in &update.outcomes {
        let mut conflicts = update.conflicts.iter();
        let conflicted = conflicts.any(|conflict| conflict.is_marked && conflict.path == *path);
        match outcome {
            Outcome::Follows => followed.push(printable(path)),
            outcome => {
                let what = outcome_text(path, outcome, conflicted);
                out(&format!("{}: {what}", printable(path)));
            }
        }
    }
    if !followed.is_empty() {
        let more = followed.len().saturating_sub(FOLLOWED);
        let names = followed[..followed.len() - more].join(", ");
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        out(&format!(
            "regenerated files that you had not edited: {names}{more}"
        ));
    }
    released(&update.release);
    for path in accept.keys() {
        if !update.outcomes.iter().any(|(known, _)| known == path) {
            say(&format!(
                "warning: {}: it has no open conflict",
                printable(path)
            ));
        }
    }
}

fn outcome_text(path: &str, outcome: &Outcome, conflicted: bool) -> String {
    let text = match outcome {
        Outcome::Follows => "regenerated",
        Outcome::New => "new",
        Outcome::Removed => "removed: it is no longer generated, and you had not edited it",
        Outcome::Merged if conflicted => "merged, with conflicts",
        Outcome::Merged => "merged with your edits",
        Outcome::MergedAway(from) => {
            return format!("merged with the file now generated as {}", printable(from));
        }
        Outcome::Settled => "settled",
        Outcome::StaysDeleted => {
            "warning: you deleted it, and it stays deleted; it is generated differently now (`--accept theirs` restores it)"
        }
        Outcome::NowYours => {
            "warning: it is no longer generated; you had edited it, so it stays as your file"
        }
        Outcome::Announced if path == "Cargo.toml" => "the next version",
        Outcome::Announced => "lists what has changed",
        Outcome::NotText => "warning: it is not text, and stays unchanged",
    };
    text.to_owned()
}

/// Prints what has changed for the users of the crate, and its version.
fn released(release: &Release) {
    if release.diff.level().is_none() {
        return;
    }
    let version = match &release.version {
        Bump::None => String::new(),
        Bump::To(from, to) => format!("; the version is raised from {from} to {to}"),
        Bump::Own(own) => format!("; the version stays {own}, which you set"),
        Bump::Elsewhere(level) => format!(
            "; the version was not written (it is not in Cargo.toml, or a conflict is open): raise it for {} changes",
            level.word()
        ),
    };
    out(&format!("{}{version}", summary(&release.diff)));
}

fn conflicts(conflicts: &[Conflict]) {
    for conflict in conflicts {
        say(&format!(
            "conflict: {}:{}: {}",
            printable(&conflict.path),
            conflict.line,
            printable(&conflict.why)
        ));
    }
    let marked = conflicts.iter().filter(|conflict| conflict.is_marked);
    let marked = marked.count();
    let unmarked = conflicts.len() - marked;
    if marked > 0 {
        say(&format!(
            "conflicts: {marked}; edit the text between the markers, or run `etlgen update --accept mine|theirs FILE`"
        ));
    }
    if unmarked > 0 {
        say(&format!(
            "lines to change by hand: {unmarked}; they merged, so they have no markers"
        ));
    }
}

fn diff(update: &Update) -> Result<(), Diagnostic> {
    for (path, text) in update.changes() {
        let before = update.before(path)?.unwrap_or_default();
        let diff = similar::TextDiff::from_lines(before.as_str(), text.unwrap_or_default());
        let mut diff = diff.unified_diff();
        let shown = diff.header(&format!("a/{path}"), &format!("b/{path}"));
        out(&printable(&shown.to_string()));
    }
    Ok(())
}

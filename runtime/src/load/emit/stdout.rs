//! `emit:jsonl` and `emit:arrow`: the rows and the state of a run on standard output.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::arrow::Streams;
use super::lines::Lines;
use super::{Emit, States};
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Capabilities, Commit, LoadInfo, Memory, Operation};

/// A destination that writes to standard output.
pub(in crate::load) struct Stdout {
    /// `jsonl`, `arrow`, either with `?state=FILE`.
    rest: String,
    /// What the rows are written to, if not to standard output.
    out: Option<Box<dyn Write + Send>>,
    states: States,
    to: Option<To>,
}

enum To {
    Lines(Lines),
    Streams(Streams),
}

/// What a URL says.
struct Wanted {
    arrow: bool,
    /// The file that the state comes from, and goes to.
    file: Option<PathBuf>,
}

impl Stdout {
    /// Creates the destination of a URL, from what follows `emit:`.
    pub fn new(rest: &str) -> Self {
        Stdout {
            rest: rest.to_owned(),
            out: None,
            states: States::default(),
            to: None,
        }
    }

    /// Writes to `out` instead.
    pub fn to(self, out: Box<dyn Write + Send>) -> Self {
        let out = Some(out);
        Stdout { out, ..self }
    }

    fn wanted(&self) -> Result<Wanted> {
        let (form, options) = self.rest.split_once('?').unwrap_or((&self.rest, ""));
        let wrong = |what: String| {
            Err(Error::new(ErrorKind::Usage, what)
                .hint("write emit:jsonl or emit:arrow, and `?state=FILE` after it for a state"))
        };
        let arrow = match form {
            "jsonl" => false,
            "arrow" => true,
            _ => return wrong(format!("`{form}` is no form of output")),
        };
        let file = match options.split_once('=') {
            None if options.is_empty() => None,
            Some(("state", file)) if !file.is_empty() => Some(file.into()),
            _ => return wrong(format!("`{options}` is no option of `emit:`")),
        };
        Ok(Wanted { arrow, file })
    }
}

impl Emit for Stdout {
    fn describe(&self) -> String {
        format!("emit:{}", self.rest)
    }

    fn exists(&self) -> bool {
        let file = self.wanted().ok().and_then(|wanted| wanted.file);
        file.is_some_and(|file| file.exists())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(255).checkpoints(10_000, Duration::from_secs(5))
    }

    fn prints(&self) -> bool {
        true
    }

    fn begin(&mut self, load: &LoadInfo) -> Result<Memory> {
        let wanted = self.wanted()?;
        if let Some(file) = &wanted.file {
            self.states = States::open(file)?;
        }
        let out = self.out.take();
        let out = out.unwrap_or_else(|| Box::new(BufWriter::new(io::stdout())));
        self.to = Some(match wanted.arrow {
            true => To::Streams(Streams::new(out)),
            false => To::Lines(Lines::new(out)),
        });
        Ok(self.states.begin(load))
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        match self.wanted()?.file {
            Some(file) => Ok(States::read(&file)?.memory(load)),
            None => Ok(Memory::default()),
        }
    }

    fn take(&mut self, resource: &str, operation: &Operation) -> Result<()> {
        for table in operation.tables() {
            self.states.count(&table.schema.name, table.rows.num_rows());
        }
        match &mut self.to {
            Some(To::Lines(lines)) => lines.take(resource, operation),
            Some(To::Streams(streams)) => streams.take(resource, operation),
            None => Ok(()),
        }
    }

    /// Writes the state after the rows, and then to the file.
    fn commit(&mut self, memory: &Memory, commit: &Commit<'_>) -> Result<()> {
        let states = self.states.put(memory)?;
        let status = commit.status.name();
        match &mut self.to {
            Some(To::Lines(lines)) => lines.commit(status, &states)?,
            Some(To::Streams(streams)) => streams.commit(status, &states)?,
            None => {}
        }
        self.states.save(&states)
    }

    fn row_counts(&self) -> Vec<(String, u64)> {
        self.states.row_counts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_says_nothing_is_refused() {
        let refused = |rest: &str| match Stdout::new(rest).wanted() {
            Ok(_) => panic!("{rest}"),
            Err(error) => error.report(),
        };
        for rest in ["csv", "", "jsonl?state=", "arrow?states=x", "jsonl?x"] {
            assert!(refused(rest).contains("emit:jsonl or emit:arrow"), "{rest}");
        }
        let wanted = Stdout::new("arrow?state=a=b.json").wanted().unwrap();
        assert_eq!(wanted.file, Some("a=b.json".into()));
        assert!(wanted.arrow);
    }
}

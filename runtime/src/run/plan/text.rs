//! Formats a plan for people, in lines of at most 80 characters; `{:#}` lists the columns of wide
//! tables, too.

use std::fmt;

use etlgen_model::counted;

use super::values::{
    ChildSlices, PassPlan, Problem, ResourcePlan, RunPlan, SlicePlan, Slices, WritePlan,
};
use crate::page::{Next, Position};
use crate::schema::{Contract, Deletes, Disposition, TableSchema};
use crate::text::wrapped;

/// The width of the labels.
const LABEL: usize = 11;

impl fmt::Display for RunPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan of {}, load {}", self.source, self.load_id)?;
        line(f, "from", &self.base_url)?;
        if let Some(destination) = &self.destination {
            line(f, "into", destination)?;
        }
        self.shared_problems(f)?;
        for resource in &self.resources {
            writeln!(f)?;
            resource.lines(f, |problem| !self.is_shared(problem))?;
        }
        for off in &self.off {
            writeln!(f, "\n{} (off)", off.name)?;
            line(f, "why", &off.reason)?;
            line(f, "settle", &off.settle)?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        self.notes.iter().try_for_each(|note| line(f, "note", note))
    }
}

impl RunPlan {
    /// Returns whether several resources have that problem, which is then said once.
    fn is_shared(&self, problem: &Problem) -> bool {
        let having = self.resources.iter();
        let having = having.filter(|resource| resource.problems.contains(problem));
        having.count() > 1
    }

    /// Writes the problems that several resources have.
    fn shared_problems(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told: Vec<&Problem> = Vec::new();
        for problem in self.resources.iter().flat_map(|plan| &plan.problems) {
            if self.is_shared(problem) && !told.contains(&problem) {
                told.push(problem);
                let having = self.resources.iter();
                let having = having.filter(|resource| resource.problems.contains(problem));
                let names: Vec<&str> = having.map(|resource| resource.name.as_str()).collect();
                writeln!(f)?;
                line(
                    f,
                    "problem",
                    &format!("{} ({})", problem.what, names.join(", ")),
                )?;
                line(f, "settle", &problem.settle)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ResourcePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines(f, |_| true)
    }
}

impl ResourcePlan {
    /// Writes the plan, with these of its problems.
    fn lines(&self, f: &mut fmt::Formatter<'_>, told: impl Fn(&Problem) -> bool) -> fmt::Result {
        let parent = self.parent.as_ref();
        let parent = parent.map_or(String::new(), |parent| format!(", child of {parent}"));
        let only = match self.loads {
            true => "",
            false => ", read only for its children",
        };
        writeln!(f, "{}{parent}{only}", self.name)?;
        line(f, "asks", &self.asks())?;
        line(f, "reads", &self.reads())?;
        if let Slices::Children(slices) = &self.slices {
            line(
                f,
                "slices",
                &slices.describe(&self.pass.id, parent_of(self)),
            )?;
        }
        if self.loads {
            self.write.lines(f, &self.pass)?;
        }
        if !self.feeds.is_empty() {
            line(f, "changes", &self.feeds.join(", "))?;
        }
        for problem in self.problems.iter().filter(|problem| told(problem)) {
            line(f, "problem", &problem.what)?;
            line(f, "settle", &problem.settle)?;
        }
        self.notes.iter().try_for_each(|note| line(f, "note", note))
    }
}

fn parent_of(plan: &ResourcePlan) -> &str {
    plan.parent.as_deref().unwrap_or_default()
}

impl ResourcePlan {
    /// Returns the request: `GET /orgs/acme/repos per_page=100`.
    fn asks(&self) -> String {
        let request = &self.request;
        let mut path = request.path.clone();
        for (name, value) in &request.path_values {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let query = request.query.iter();
        let query: String = query
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        let body = request.body.as_ref();
        let body = body.map_or(String::new(), |body| format!(" {body}"));
        format!("{} {path}{query}{body}", request.method)
    }

    fn reads(&self) -> String {
        let mut parts = vec![match self.pass.resumes {
            true => format!("resumes the pass of load {}", self.pass.id),
            false => "a new pass".to_owned(),
        }];
        if let Some(bounds) = &self.pass.bounds {
            parts.push(span(&bounds.from, &bounds.until));
        }
        if let Slices::One(slice) = &self.slices {
            parts.extend(slice.describe());
        }
        if self.pass.in_full {
            parts.push("everything, whatever the cursor".to_owned());
        }
        if let Some(limit) = self.pass.limit {
            parts.push(format!("at most {}", counted(limit, "record")));
        }
        parts.join("; ")
    }
}

impl SlicePlan {
    fn describe(&self) -> Vec<String> {
        let pass = self.state.pass.clone().unwrap_or_default();
        let mut parts = Vec::new();
        let from = pass.from.as_ref().filter(|_| !pass.is_windowed());
        parts.extend(from.map(|from| format!("changes since {from}")));
        if pass.position != Position::default() {
            parts.push(position(&pass.position));
        }
        if let (Some(first), Some(last)) = (self.windows.first(), self.windows.last()) {
            let span = span(&first.window.from, &last.window.until);
            parts.push(format!(
                "{}, {span}",
                counted(self.windows.len() as u64, "window")
            ));
        }
        parts
    }
}

/// Returns a span: `from 2024-01-01 to the end`.
fn span(from: &Option<String>, until: &Option<String>) -> String {
    let from = from.as_deref().unwrap_or("the beginning");
    let until = until.as_deref().unwrap_or("the end");
    format!("from {from} to {until}")
}

fn position(position: &Position) -> String {
    let at = match &position.next {
        Next::First => "its beginning".to_owned(),
        Next::Value(value) | Next::Url(value) => format!("`{value}`"),
    };
    format!("at {at}, after {}", counted(position.rows, "row"))
}

impl ChildSlices {
    fn describe(&self, pass: &str, parent: &str) -> String {
        let known = self.known.len();
        let done = |state: &&crate::state::SliceState| state.done.as_deref() == Some(pass);
        let done = self.known.values().filter(done).count();
        let open = |state: &&crate::state::SliceState| state.pass.is_some();
        let open = self.known.values().filter(open).count();
        let mut parts = vec![format!("{known} known")];
        if done > 0 {
            parts.push(format!("{done} finished in this pass"));
        }
        if open > 0 {
            parts.push(format!("{open} begun"));
        }
        parts.push(match (self.changed_only, self.revisit) {
            (true, _) => format!("those of the records of `{parent}` that have changed"),
            (false, true) => format!("all of them, and those that `{parent}` shows"),
            (false, false) => format!("those that `{parent}` shows"),
        });
        parts.join("; ")
    }
}

impl WritePlan {
    fn lines(&self, f: &mut fmt::Formatter<'_>, pass: &PassPlan) -> fmt::Result {
        let mut rows = match self.disposition {
            Disposition::Append => "append".to_owned(),
            Disposition::Replace if pass.publishes_cut => "replace, even if cut short".to_owned(),
            Disposition::Replace => "replace all at the end".to_owned(),
            Disposition::Merge => format!("merge by {}", self.key.join(", ")),
        };
        rows.push_str(match self.deletes {
            Deletes::Keep => "",
            Deletes::Soft => "; mark deleted records",
            Deletes::Hard => "; remove deleted records",
        });
        line(f, "rows", &rows)?;
        if self.contract != Contract::evolve() {
            line(f, "contract", &self.contract.to_string())?;
        }
        if let Some(selected) = &self.selected {
            line(f, "select", &selected.rules.join(", "))?;
        }
        for table in &self.coming {
            let is_new = !self.there.iter().any(|there| there.name == table.name);
            let columns = columns(table, f.alternate());
            line(f, if is_new { "table" } else { "columns" }, &columns)?;
        }
        Ok(())
    }
}

/// The most columns of a table that are listed, unless all are wanted.
const SHOWN: usize = 16;

/// Returns the columns of a table: `invoices: id text, paid bool`; of a wide table only their
/// number, unless `all` are wanted.
fn columns(table: &TableSchema, all: bool) -> String {
    let count = table.columns.len();
    if count > SHOWN && !all {
        return format!(
            "{}: {count} columns (`--format full` lists them)",
            table.name
        );
    }
    let columns = table.columns.iter();
    let columns = columns.map(|column| format!("{} {}", column.name, column.ty.name()));
    format!("{}: {}", table.name, columns.collect::<Vec<_>>().join(", "))
}

/// Writes a label and its text, wrapped between words.
fn line(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let head = format!("  {label:<width$}", width = LABEL - 2);
    let mut lines = wrapped(&head, LABEL, text).into_iter();
    lines.try_for_each(|line| writeln!(f, "{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, ColumnRole, ColumnType};

    #[test]
    fn a_wide_table_is_counted_unless_its_columns_are_wanted() {
        let column =
            |at: usize| Column::new(format!("c{at}"), ColumnType::Text, ColumnRole::Data, "");
        let mut table = TableSchema::new("wide", "wide", (0..SHOWN).map(column).collect());
        assert!(columns(&table, false).ends_with("c15 text"));
        table.columns.push(column(SHOWN));
        assert_eq!(
            columns(&table, false),
            "wide: 17 columns (`--format full` lists them)"
        );
        assert!(columns(&table, true).ends_with("c16 text"));
    }
}

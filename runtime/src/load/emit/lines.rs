//! Rows and state as lines of JSON.

use std::collections::HashMap;
use std::io::Write;

use super::control;
use crate::error::Result;
use crate::load::Operation;
use crate::record::json::write_string;
use crate::schema::Shape;

/// Writes one JSON object per line.
pub(super) struct Lines {
    out: Box<dyn Write + Send>,
    /// What was said of the records of each resource.
    shapes: HashMap<String, Shape>,
}

impl Lines {
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Lines {
            out,
            shapes: HashMap::new(),
        }
    }

    pub fn take(&mut self, resource: &str, operation: &Operation) -> Result<()> {
        if let Some(control) = control::control(resource, operation) {
            writeln!(self.out, "{control}")?;
        }
        let Some(verb) = control::verb(operation) else {
            return Ok(());
        };
        let records = control::records(operation.tables())?;
        let shape = control::shape(operation.tables())?;
        let known = self.shapes.entry(resource.to_owned()).or_default();
        if known.merge(&shape) {
            writeln!(self.out, "{}", control::schema(resource, known))?;
        }
        let mut begin = String::from(r#"{"type":"record","resource":"#);
        write_string(&mut begin, resource);
        begin.push_str(&format!(r#","operation":"{verb}","record":"#));
        let mut line = String::new();
        for row in 0..records.len() {
            line.clear();
            line.push_str(&begin);
            records.write_json(&mut line, row);
            line.push_str("}\n");
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    pub fn commit(&mut self, status: &str, states: &str) -> Result<()> {
        writeln!(
            self.out,
            r#"{{"type":"state","status":"{status}","state":{states}}}"#
        )?;
        Ok(self.out.flush()?)
    }
}

//! Rows in the binary format of `COPY`.

use super::text::stored;
use crate::error::{Error, ErrorKind, Result};
use crate::load::values::Values;
use crate::record::{day, sortable};
use crate::schema::{Column, TableBatch};

/// From 1970 to 2000, where the times of Postgres begin.
pub const DAYS_TO_2000: i32 = 10_957;
pub const MICROS_TO_2000: i64 = 946_684_800_000_000;
/// The first time and the first day of Postgres, in 4714 BC, counted from 2000.
const FIRST_MICROS: i64 = -211_813_488_000_000_000;
const FIRST_DAY: i32 = -2_451_545;
/// The day after its last one.
const END_DAY: i32 = 2_145_031_949;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Returns the rows of a batch, all of them or those at these positions.
pub fn encode(batch: &TableBatch, rows: Option<&[usize]>) -> Result<Vec<u8>> {
    let columns = batch.schema.columns.iter().zip(batch.rows.columns());
    let columns = columns.map(|(column, array)| {
        let values = Values::of(array.as_ref(), column.ty);
        let wrong = || broken(&batch.schema.name, column, "has an array of another type");
        Ok((column, values.ok_or_else(wrong)?))
    });
    let columns: Vec<(&Column, Values<'_>)> = columns.collect::<Result<_>>()?;
    let count = i16::try_from(columns.len()).map_err(|_| {
        let message = format!("the table `{}` has too many columns", batch.schema.name);
        Error::new(ErrorKind::Destination, message)
    })?;
    let mut out = HEADER.to_vec();
    let mut put = |row: usize| -> Result<()> {
        out.extend(count.to_be_bytes());
        for (column, values) in &columns {
            let start = out.len();
            out.extend((-1_i32).to_be_bytes());
            let written = self::put(values, row, &mut out);
            let written = written.map_err(|what| broken(&batch.schema.name, column, &what))?;
            if written {
                let long = |_| broken(&batch.schema.name, column, "has a value above 2 GB");
                let length = i32::try_from(out.len() - start - 4).map_err(long)?;
                out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            }
        }
        Ok(())
    };
    match rows {
        Some(rows) => rows.iter().try_for_each(|row| put(*row))?,
        None => (0..batch.rows.num_rows()).try_for_each(put)?,
    }
    out.extend((-1_i16).to_be_bytes());
    Ok(out)
}

fn broken(table: &str, column: &Column, what: &str) -> Error {
    let message = format!("the column `{}` of `{table}` {what}", column.name);
    Error::new(ErrorKind::Destination, message)
}

/// Appends a value; returns whether it is not null. The error completes "the column …".
fn put(values: &Values<'_>, row: usize, out: &mut Vec<u8>) -> std::result::Result<bool, String> {
    if values.is_null(row) {
        return Ok(false);
    }
    match values {
        Values::Bool(array) => out.push(u8::from(array.value(row))),
        Values::Int(array) => out.extend(array.value(row).to_be_bytes()),
        Values::Float(array) => out.extend(array.value(row).to_be_bytes()),
        Values::Decimal(array) => numeric(array.value(row), out),
        Values::Text(array) => out.extend(stored(array.value(row)).as_bytes()),
        Values::Json(array) => out.extend(array.value(row).as_bytes()),
        Values::Uuid(array) => {
            let text = array.value(row);
            let bytes = uuid(text).ok_or_else(|| "has a value that is not a UUID".to_owned())?;
            out.extend(bytes.to_be_bytes());
        }
        Values::Timestamp(array) => {
            let value = array.value(row);
            let micros = value.checked_sub(MICROS_TO_2000);
            let micros = micros.filter(|micros| *micros >= FIRST_MICROS);
            let micros = micros.ok_or_else(|| early(sortable(value).as_str()))?;
            out.extend(micros.to_be_bytes());
        }
        Values::Date(array) => {
            let value = array.value(row);
            let days = value.checked_sub(DAYS_TO_2000);
            let days = days.filter(|days| (FIRST_DAY..END_DAY).contains(days));
            let days = days.ok_or_else(|| early(day(value).as_str()))?;
            out.extend(days.to_be_bytes());
        }
        Values::Bytes(array) => out.extend(array.value(row)),
    }
    Ok(true)
}

fn early(value: &str) -> String {
    format!(
        "has the value {value}: Postgres has no times before 4714 BC, and no days after the year 5874897"
    )
}

/// Appends a number of billionths as `numeric`: groups of four decimal digits, without zeros at either end.
pub fn numeric(value: i128, out: &mut Vec<u8>) {
    const UNIT: u128 = 1_000_000_000;
    let (mut whole, part) = (value.unsigned_abs() / UNIT, value.unsigned_abs() % UNIT);
    // Twelve digits after the point are three groups.
    let part = part * 1000;
    let mut groups = vec![part % 10_000, part / 10_000 % 10_000, part / 100_000_000];
    let mut weight: i16 = -1;
    while whole > 0 {
        groups.push(whole % 10_000);
        whole /= 10_000;
        weight += 1;
    }
    groups.reverse();
    let zeros = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..zeros);
    weight -= zeros as i16;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    if groups.is_empty() {
        weight = 0;
    }
    let sign: u16 = if value < 0 { 0x4000 } else { 0 };
    out.extend((groups.len() as u16).to_be_bytes());
    out.extend(weight.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend(9_u16.to_be_bytes());
    for group in groups {
        out.extend((group as u16).to_be_bytes());
    }
}

/// Parses 32 hexadecimal digits with hyphens.
fn uuid(text: &str) -> Option<u128> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(&digits, 16).ok()?;
    (digits.len() == 32 && is_hex).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_groups_of_four_digits() {
        let groups = |value: i128| {
            let mut out = Vec::new();
            numeric(value, &mut out);
            let words = out
                .chunks(2)
                .map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
            words.collect::<Vec<_>>()
        };
        assert_eq!(groups(0), [0, 0, 0, 9]);
        assert_eq!(groups(1), [1, -3, 0, 9, 1000]);
        assert_eq!(groups(-1_500_000_000), [2, 0, 0x4000, 9, 1, 5000]);
        assert_eq!(groups(10_000_000_000_000), [1, 1, 0, 9, 1]);
        assert_eq!(groups(12_345_000_000_000), [2, 1, 0, 9, 1, 2345]);
        assert_eq!(groups(100_000), [1, -1, 0, 9, 1]);
    }

    #[test]
    fn only_uuids_are_uuids() {
        assert_eq!(uuid("00000000-0000-0000-0000-0000000000ff"), Some(255));
        assert_eq!(uuid("00000000-0000-0000-0000-0000000000f"), None);
        assert_eq!(uuid("+0000000-0000-0000-0000-0000000000ff"), None);
    }
}

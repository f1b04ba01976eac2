//! Values as text, for destinations without a type for them.

/// `2024-01-31T12:00:00.000000Z`: all of one length, so that text sorts as time.
pub(crate) fn timestamp(micros: i64) -> String {
    let (days, rest) = (
        micros.div_euclid(86_400_000_000),
        micros.rem_euclid(86_400_000_000),
    );
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// `2024-01-31`.
pub(crate) fn date(days: i32) -> String {
    let (year, month, day) = civil(i64::from(days));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `-12.5`: the exact number, without trailing zeros.
pub(crate) fn decimal(value: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let part = part.trim_end_matches('0');
    let (sign, point) = (
        if value < 0 { "-" } else { "" },
        if part.is_empty() { "" } else { "." },
    );
    format!("{sign}{whole}{point}{part}")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: eras of 400 years that begin in
/// March, so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) = (
        day_of_year - (153 * shifted + 2) / 5 + 1,
        if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        },
    );
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_as_text() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(
            timestamp(951_827_696_123_456),
            "2000-02-29T12:34:56.123456Z"
        );
        assert_eq!(date(19_789), "2024-03-07");
        assert_eq!(date(-719_162), "0001-01-01");
        for (value, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (-12_500_000_000, "-12.5"),
            (7_000_000_000, "7"),
        ] {
            assert_eq!(decimal(value, 9), text);
        }
    }
}

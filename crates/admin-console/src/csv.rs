//! Tables for spreadsheets: comma-separated values (RFC 4180) that Excel opens rightly, and that cannot run anything.

use actix_web::{HttpResponse, http::header, web::Bytes};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};

use crate::{http::asker::Asker, language::Language};

/// Tells Excel that the file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Access has ended since the download began.
#[derive(Debug, thiserror::Error)]
#[error("whoever asked for this is no longer signed in")]
struct SignedOut;

/// A file of this name, sent as it is made: the head, then the lines, while whoever asked is signed in. A download that breaks
/// off is seen, so what fails on the way ends it; one that merely ended would be taken for whole.
pub(crate) fn download<E: std::error::Error + 'static>(
    name: &'static str,
    language: Language,
    asker: Asker,
    head: &[String],
    lines: impl Stream<Item = Result<String, E>> + 'static,
) -> HttpResponse {
    let head = BYTE_ORDER_MARK.to_owned() + &line(language, head.iter().map(String::as_str));
    let lines = lines.map_err(Into::into).and_then(move |lines| while_signed_in(asker.clone(), lines));
    let whole = stream::once(async { Ok(head) }).chain(lines).map_ok(Bytes::from);
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(whole)
}

/// Where the database does not say, the download breaks off too: whoever wants it begins again.
async fn while_signed_in(asker: Asker, lines: String) -> Result<String, Box<dyn std::error::Error>> {
    if asker.is_signed_in().await? { Ok(lines) } else { Err(SignedOut.into()) }
}

/// One line, with its end.
pub(crate) fn line<'a>(language: Language, cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    // Where the decimal mark is a comma, Excel separates cells by semicolons.
    let separator = match language {
        Language::English => ",",
        Language::French => ";",
    };
    cells.join(separator) + "\r\n"
}

/// A cell that begins like a formula would be one; names come from outside, so an apostrophe makes it text (OWASP, CSV
/// injection).
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_somebody_is_called_becomes_a_formula() {
        for name in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=HYPERLINK(\"http://evil\")", "＝1"]
        {
            let line = line(Language::English, [name]);
            assert!(line.starts_with("\"'"), "{line}");
        }
        assert_eq!(line(Language::English, ["a=1", "O'Neill"]), "\"a=1\",\"O'Neill\"\r\n");
    }

    #[test]
    fn quotes_separators_and_line_breaks_stay_inside_of_their_cell() {
        assert_eq!(line(Language::English, ["a\"b,c\nd", ""]), "\"a\"\"b,c\nd\",\"\"\r\n");
        assert_eq!(line(Language::French, ["a", "b"]), "\"a\";\"b\"\r\n");
    }
}

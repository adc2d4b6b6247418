//! Style sheet, scripts, fonts and icons, under names that change with their content, so that a browser asks once.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _, sync::LazyLock};

use actix_web::{HttpResponse, http::header, web};
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};

#[derive(Embed)]
#[folder = "assets"]
struct Files;

struct Asset {
    body: Cow<'static, [u8]>,
    content_type: &'static str,
}

struct Assets {
    by_public_name: HashMap<String, Asset>,
    public_names: HashMap<String, String>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// The style sheet names the fonts beside it.
const STYLE_SHEET: &str = "console.css";

/// Where the asset with this name in `assets/` is served.
pub(crate) fn url_of(name: &str) -> String {
    match ASSETS.public_names.get(name) {
        Some(public) => format!("/assets/{public}"),
        None => format!("/assets/{name}"),
    }
}

/// `GET /assets/{name}`.
pub(crate) async fn get(name: web::Path<String>) -> HttpResponse {
    match ASSETS.by_public_name.get(name.as_str()) {
        Some(asset) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, asset.content_type))
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(asset.body.clone().into_owned()),
        None => HttpResponse::NotFound().finish(),
    }
}

impl Assets {
    fn load() -> Self {
        let mut assets = Self { by_public_name: HashMap::new(), public_names: HashMap::new() };
        let mut names: Vec<Cow<'static, str>> = Files::iter().collect();
        // What is written about the others.
        names.retain(|name| !name.ends_with(".md") && !name.ends_with(".txt"));
        // The style sheet last, when the fonts have got their names.
        names.sort_by_key(|name| name == STYLE_SHEET);
        for name in names {
            if let Some(file) = Files::get(&name) {
                assets.add(&name, file.data);
            }
        }
        assets
    }

    fn add(&mut self, name: &str, mut body: Cow<'static, [u8]>) {
        if name == STYLE_SHEET {
            let mut text = String::from_utf8_lossy(&body).into_owned();
            for (name, public) in &self.public_names {
                text = text.replace(&format!("url(\"{name}\")"), &format!("url(\"{public}\")"));
            }
            body = Cow::Owned(text.into_bytes());
        }
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let public = format!("{stem}.{}.{extension}", fingerprint(&body));
        let content_type = content_type(extension);
        self.public_names.insert(name.to_owned(), public.clone());
        self.by_public_name.insert(public, Asset { body, content_type });
    }
}

/// Eight bytes of a hash: whether the content is the same, not who wrote it.
fn fingerprint(body: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(body).iter().take(8) {
        // Writing to a string does not fail.
        if write!(text, "{byte:02x}").is_err() {
            break;
        }
    }
    text
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

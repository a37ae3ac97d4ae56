//! The pages of signing in and of the settings.

use super::*;

const PAGE: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const PAGES: [&str; 6] = [
    "/settings",
    "/settings/users",
    "/settings/users/ann",
    "/settings/keys",
    "/settings/sessions",
    "/settings/audit",
];

impl Running {
    /// A page as a browser asks for it.
    async fn page(&self, path: &str, cookie: &str) -> Answer {
        self.bare("GET", path, &[PAGE, ("Cookie", cookie)], "").await
    }
}

#[tokio::test]
async fn a_document_has_no_webassembly_and_its_scripts_are_those_its_policy_names() {
    let server = Running::start("").await;
    let ann = server.user("ann", "admin").await;
    for (path, cookie) in PAGES.iter().map(|path| (*path, &*ann)).chain([("/login", "")]) {
        let answer = server.page(path, cookie).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next());
        let nonce = nonce.unwrap_or_else(|| panic!("{path}: {policy}")).to_owned();
        assert!(nonce.len() >= 22, "128 bits: {nonce}");
        let html = answer.text().await;
        let ours = format!("<script nonce=\"{nonce}\">");
        assert_eq!(html.matches("<script").count(), html.matches(&ours).count(), "{path}");
        assert!(!html.contains("wasm") && !html.contains(" style="), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn nothing_that_somebody_said_of_itself_is_markup() {
    let server = Running::start("").await;
    let ann = server.user("ann", "admin").await;
    let hostile = "<script>alert(1)</script>\"'><img src=x>";
    let head =
        [("Content-Type", "application/x-www-form-urlencoded"), ("User-Agent", hostile), PAGE];
    let right = format!("name=ann&password={PASSWORD}");
    assert_eq!(server.bare("POST", "/login", &head, &right).await.status, 303);
    let encoded = "%3Cscript%3Ealert(1)%3C/script%3E%22'%3E%3Cimg+src=x%3E";
    let wrong = format!("name={encoded}&password=x&next=/{encoded}");
    let login = server.bare("POST", "/login", &head, &wrong).await;
    assert_eq!(login.status, 401);
    let mut pages = vec![login.text().await];
    let filtered = format!("/settings/audit?caller={encoded}&action={encoded}");
    for path in PAGES.into_iter().chain([&*filtered, &format!("/settings?done={encoded}")]) {
        pages.push(server.page(path, &ann).await.text().await);
    }
    let missing = server.page(&format!("/settings/users/{encoded}"), &ann).await;
    assert_eq!(missing.status, 404);
    pages.push(missing.text().await);
    let said = pages.iter().filter(|page| page.contains("alert(1)")).count();
    assert!(said >= 5, "it is shown, as text: {said}");
    for page in pages {
        assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let server = Running::start("").await;
    let viv = server.user("viv", "viewer").await;
    let page = server.page("/settings/users", &viv).await;
    assert_eq!(page.status, 403);
    assert!(page.header("content-type").starts_with("text/html"));
    let html = page.text().await;
    assert!(html.contains("This needs the role admin; yours is viewer."), "{html}");
    let program = server.bare("GET", "/settings/users", &[("Cookie", &viv)], "").await;
    assert_eq!(program.status, 403);
    assert_eq!(program.header("content-type"), "application/problem+json");
    // A form of a page without JavaScript.
    let form = server.bare("POST", "/pipelines/x/run", &[PAGE, ("Cookie", &viv)], "").await;
    assert_eq!(form.status, 403);
    assert!(form.text().await.contains("<h1"), "a page");
    server.stop().await;
}

#[tokio::test]
async fn a_form_that_is_obeyed_leads_to_a_page_and_is_written_down_with_what_it_was_done_to() {
    let server = Running::start("").await;
    let ann = server.user("ann", "admin").await;
    let new = format!("name=bob&role=viewer&password={PASSWORD}");
    let steps = [
        ("/settings/users", &*new, "/settings/users?done=added", "user.create", "bob"),
        (
            "/settings/users/bob/change",
            "role=operator",
            "/settings/users/bob?done=changed",
            "user.change",
            "bob",
        ),
        ("/settings/users/bob/delete", "", "/settings/users?done=deleted", "user.delete", "bob"),
        ("/settings/name", "name=anna", "/settings?done=name", "user.change", "ann"),
        ("/settings/others/end", "", "/settings?done=ended", "session.end", "anna"),
    ];
    for (path, body, to, action, target) in steps {
        let answer = server.form(path, &ann, body).await;
        assert_eq!((answer.status, answer.header("location")), (303, to), "{path}");
        let log = server.json("/api/v1/audit?limit=1").await;
        let entry = &log["items"][0];
        assert_eq!(
            (&entry["action"], &entry["target"]),
            (&json!(action), &json!(target)),
            "{path}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn the_password_form_of_the_first_start_is_closed_to_who_has_a_password() {
    let server = Running::start("").await;
    let ann = server.user("ann", "admin").await;
    let body = "name=ann&password=another-long-password&again=another-long-password";
    assert_eq!(server.form("/settings/begin", &ann, body).await.status, 409);
    assert_eq!(
        server.form("/login", "", &format!("name=ann&password={PASSWORD}")).await.status,
        303
    );
    server.stop().await;
}

#[tokio::test]
async fn ending_a_session_leads_back_to_the_settings_and_nowhere_else() {
    let server = Running::start("").await;
    let ann = server.user("ann", "admin").await;
    for (to, leads) in [
        ("/settings/sessions", "/settings/sessions?done=ended"),
        ("https://evil.example", "/settings?done=ended"),
        ("/settings?done=begun%26", "/settings?done=ended"),
    ] {
        server.signed_in("ann").await;
        let all =
            server.bare("GET", "/api/v1/sessions", &[("Cookie", &ann)], "").await.json().await;
        let other = all["items"].as_array().unwrap().iter().find(|one| one["current"] == false);
        let id = other.unwrap()["id"].as_str().unwrap().to_owned();
        let answer =
            server.form(&format!("/settings/sessions/{id}/end"), &ann, &format!("to={to}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, leads), "{to}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_session_is_ended_and_leads_back_whatever_the_form_says_of_where_to() {
    let server = Running::start("").await;
    let ann = server.user("ann", "admin").await;
    for (to, leads) in [
        ("/settings/sessions", "/settings/sessions?done=ended"),
        ("/settings%0D%0ASet-Cookie:a=b", "/settings?done=ended"),
        ("/settings%0A", "/settings?done=ended"),
        ("//evil.example/settings", "/settings?done=ended"),
        ("/jobs", "/settings?done=ended"),
    ] {
        server.signed_in("ann").await;
        let sessions = server.json("/api/v1/sessions").await["items"].as_array().unwrap().clone();
        let other = sessions.iter().max_by_key(|session| session["created_at"].to_string());
        let id = other.unwrap()["id"].as_str().unwrap().to_owned();
        let answer =
            server.form(&format!("/settings/sessions/{id}/end"), &ann, &format!("to={to}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, leads), "{to}");
    }
    server.stop().await;
}

//! What a file means, and what is said about a file that means nothing.

use super::*;
use engine::{OnShutdown, QueueDef, SecretKind};
use shared::Phase;
use std::time::Duration;

fn settings(text: &str) -> Settings {
    parse(Path::new("t.toml"), text).unwrap_or_else(|mistakes| panic!("{mistakes}")).engine
}

fn mistakes(text: &str) -> String {
    parse(Path::new("t.toml"), text).expect_err("mistakes").to_string()
}

#[test]
fn the_published_shape_is_understood() {
    let s = settings(
        r#"
        on_shutdown = "cancel"
        grace = "5s"
        max_log_bytes = "1MiB"
        min_free_disk = 0
        inherit_env = ["SSH_AUTH_SOCK"]

        [[queue]]
        name = "default"
        concurrency = 2

        [[pipeline]]
        name = "hello"
        queue = "default"
        timeout = "10m"
        [[pipeline.steps]]
        name = "greet"
        phase = "execution"
        run = "echo hello"
        timeout = "1m"
        env = { WHO = "world" }
        [[pipeline.steps]]
        name = "tidy up"
        phase = "cleanup"
        run = "true"
        "#,
    );
    assert_eq!(s.on_shutdown, OnShutdown::Cancel);
    assert_eq!(s.grace, Duration::from_secs(5));
    assert_eq!((s.max_log_bytes, s.min_free_disk), (1 << 20, 0));
    assert_eq!(s.inherit_env, ["SSH_AUTH_SOCK"]);
    assert_eq!(s.queues, [QueueDef { name: "default".into(), concurrency: 2 }]);
    let hello = &s.pipelines[0];
    assert_eq!((hello.name.as_str(), hello.queue.as_str()), ("hello", "default"));
    assert_eq!(hello.timeout, Some(Duration::from_secs(600)));
    assert_eq!(hello.steps[0].env["WHO"], "world");
    assert_eq!(hello.steps[0].timeout, Some(Duration::from_secs(60)));
    assert_eq!((hello.steps[1].name.as_str(), hello.steps[1].phase), ("tidy up", Phase::Cleanup));
}

#[test]
fn the_default_queue_exists_without_being_configured() {
    let s = settings("[[queue]]\nname = 'slow'\nconcurrency = 1\n");
    assert_eq!(s.queues[1], QueueDef { name: "default".into(), concurrency: 4 });
    assert_eq!(settings("").queues.len(), 1);
}

#[test]
fn a_pipeline_without_a_queue_takes_the_default_one() {
    let s = settings("[[pipeline]]\nname = 'a'\nsteps = [{ name = 's', run = 'true' }]\n");
    assert_eq!(s.pipelines[0].queue, "default");
    assert_eq!(s.pipelines[0].steps[0].phase, Phase::Execution);
}

#[test]
fn every_mistake_is_told_with_its_line_and_what_is_allowed() {
    let text = r#"on_shutdwn = "leave"
grace = 10
max_log_bytes = "2gib"
inherit_env = ["A B", "TAILBOARD_X"]

[[queue]]
name = "slow"
concurrency = 0
[[queue]]
name = "slow"
[[queue]]
concurrency = "4"

[[pipeline]]
name = "hello"
queue = "slwo"
timeout = "10 minutes"
schedule = "* * * * *"
[[pipeline.steps]]
name = "greet"
phase = "exec"
run = " "
timeot = "1m"
env = { 1A = "x", B = 2 }
[[pipeline.steps]]
name = "greet"

[[pipeline]]
name = "a/b"
"#;
    let expected = [
        "t.toml:1: on_shutdwn: is not a key that is known here; did you mean on_shutdown? \
         (allowed: access, allow_pipeline_editing, grace, inherit_env, limits, max_log_bytes, min_free_disk, on_shutdown, pipeline, public_url, queue, redact, retention, trusted_proxies)",
        "t.toml:2: grace: is 10, wanted is a duration such as \"10m\", \"1h30m\" or \"500ms\", \
         at most 30 days",
        "t.toml:3: max_log_bytes: is \"2gib\", wanted is a size such as \"512MiB\" or \"2GiB\", \
         or a number of bytes",
        "t.toml:4: inherit_env: has \"A B\": a variable's name has letters, digits and underscores \
         (ASCII), and does not begin with a digit",
        "t.toml:4: inherit_env: has \"TAILBOARD_X\": variables that begin with TAILBOARD_ are set \
         by Tailboard itself",
        "t.toml:8: queue[slow].concurrency: is 0, wanted is a whole number from 1 to 1000",
        "t.toml:10: queue[slow].name: is \"slow\", which is taken already",
        "t.toml:11: queue[#3].name: is missing, wanted is a name",
        "t.toml:12: queue[#3].concurrency: is \"4\", wanted is a whole number from 1 to 1000",
        "t.toml:16: pipeline[hello].queue: is \"slwo\", which is no queue; did you mean slow? \
         (queues: slow, default)",
        "t.toml:17: pipeline[hello].timeout: is \"10 minutes\", wanted is a duration such as \
         \"10m\", \"1h30m\" or \"500ms\", more than 0, at most 30 days",
        "t.toml:18: pipeline[hello].schedule: is not a key that is known here \
         (allowed: catch_up, cron, cwd, description, env, env_file, max_concurrent, max_log_bytes, name, on_lost, overlap, params, priority, queue, redact, retries, retry_delay, retry_max_delay, shell, steps, timeout, timezone)",
        "t.toml:21: pipeline[hello].steps[greet].phase: is \"exec\", wanted is one of setup, \
         execution, validation, cleanup",
        "t.toml:22: pipeline[hello].steps[greet].run: is empty, wanted is a command for sh -c",
        "t.toml:23: pipeline[hello].steps[greet].timeot: is not a key that is known here; \
         did you mean timeout? (allowed: continue_on_error, cwd, env, name, phase, run, shell, timeout)",
        "t.toml:24: pipeline[hello].steps[greet].env.B: is 2, wanted is text in quotes",
        "t.toml:24: pipeline[hello].steps[greet].env: has \"1A\": a variable's name has letters, \
         digits and underscores (ASCII), and does not begin with a digit",
        "t.toml:25: pipeline[hello].steps[greet].run: is missing, wanted is a command for sh -c",
        "t.toml:26: pipeline[hello].steps[greet].name: is \"greet\", which is taken already",
        "t.toml:28: pipeline[a/b].steps: has 0 steps, wanted are 1 to 200",
        "t.toml:29: pipeline[a/b].name: is \"a/b\": a name has 1 to 64 letters, digits, dots, \
         hyphens and underscores (ASCII), and begins with a letter or digit",
    ];
    let told = mistakes(text);
    for (told, expected) in told.lines().zip(expected) {
        assert_eq!(told, expected);
    }
    assert_eq!(told.lines().count(), expected.len(), "{told}");
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let told = mistakes("grace = \"1s\"\nqueue = = 2\n");
    assert!(told.starts_with("t.toml:2: this is not TOML"), "{told}");
    let told = mistakes("name = hello\n");
    assert!(told.contains("in quotes"), "{told}");
}

#[test]
fn a_table_where_a_list_belongs_is_a_mistake_not_a_panic() {
    for text in ["queue = 1", "[queue]\nname = 'a'", "pipeline = [1, 'x']", "steps = 2", "env = 3"]
    {
        assert!(!mistakes(text).is_empty(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = parse(Path::new("t.toml"), &text);
    }

    #[test]
    fn no_value_panics(value in "[\\[\\]{}\"'=a-z0-9., \n]{0,40}") {
        for key in ["queue", "pipeline", "grace", "inherit_env", "max_log_bytes"] {
            let _ = parse(Path::new("t.toml"), &format!("{key} = {value}"));
        }
    }
}

#[test]
fn all_that_a_pipeline_can_say_is_understood() {
    let s = settings(
        r#"
        [retention]
        completed = "7d"
        failed = "never"
        jobs = 1000
        log_bytes = "1GiB"

        [[pipeline]]
        name = "backup"
        cron = "30 2 * * *"
        timezone = "Europe/Berlin"
        overlap = "queue"
        catch_up = true
        retries = 3
        retry_delay = "5s"
        retry_max_delay = "1m"
        on_lost = "retry"
        priority = -5
        max_concurrent = 1
        max_log_bytes = "1MiB"
        env_file = "secrets.env"
        cwd = "/srv"
        shell = ["bash", "-c"]
        [[pipeline.params]]
        name = "level"
        type = "int"
        default = 3
        [[pipeline.params]]
        name = "mode"
        type = "choice"
        choices = ["full", "delta"]
        default = "delta"
        [[pipeline.steps]]
        name = "go"
        run = "true"
        continue_on_error = true
        cwd = "sub"
        "#,
    );
    assert_eq!(s.retention.completed, Some(Duration::from_secs(7 * 86_400)));
    assert_eq!(
        (s.retention.failed, s.retention.jobs, s.retention.log_bytes),
        (None, 1000, 1 << 30)
    );
    let backup = &s.pipelines[0];
    let schedule = backup.schedule.as_ref().unwrap();
    assert_eq!((schedule.cron.as_str(), schedule.catch_up), ("30 2 * * *", true));
    assert_eq!((backup.retry.retries, backup.retry.delay), (3, Duration::from_secs(5)));
    assert_eq!((backup.priority, backup.max_concurrent), (-5, Some(1)));
    assert_eq!(backup.params[0].default.as_deref(), Some("3"));
    let here = std::env::current_dir().unwrap();
    assert_eq!(backup.env_file, Some(here.join("secrets.env")), "from where the file is");
    assert_eq!(backup.cwd.as_deref(), Some(Path::new("/srv")));
    assert_eq!(backup.steps[0].cwd, Some(here.join("sub")));
    assert!(backup.steps[0].continue_on_error);
}

#[test]
fn what_contradicts_itself_is_told_with_its_place() {
    let said = mistakes(
        r#"
        [[pipeline]]
        name = "a"
        cron = "61 * * * *"
        timezone = "Mars/Base"
        priority = 1000
        [[pipeline.params]]
        name = "x-y"
        required = true
        default = "1"
        [[pipeline.params]]
        name = "x.y"
        type = "choice"
        [[pipeline.params]]
        name = "n"
        type = "int"
        default = "seven"
        [[pipeline.steps]]
        name = "go"
        run = "true"

        [[pipeline]]
        name = "b"
        timezone = "UTC"
        [[pipeline.params]]
        name = "must"
        type = "string"
        required = true
        [[pipeline.steps]]
        name = "go"
        run = "true"

        [[pipeline]]
        name = "c"
        cron = "@daily"
        retry_delay = "1m"
        retry_max_delay = "5s"
        [[pipeline.params]]
        name = "must"
        type = "string"
        required = true
        [[pipeline.steps]]
        name = "go"
        run = "true"
        "#,
    );
    for part in [
        ":4: pipeline[a].cron: \"61 * * * *\": minute: is \"61\"",
        ":5: pipeline[a].timezone: \"Mars/Base\" is no time zone",
        ":6: pipeline[a].priority: is 1000, wanted is a whole number from -100 to 100",
        "pipeline[a].params[x.y].name: is \"x.y\", whose variable PARAM_X_Y",
        "pipeline[a].params[x.y].choices: is missing or empty",
        "pipeline[a].params[n].default: is \"seven\", wanted is a whole number",
        "pipeline[b].timezone: is given, but there is no cron",
        "pipeline[c].retry_max_delay: is shorter than retry_delay",
        "pipeline[c].cron: is given, but parameter must has to be given",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn kinds_of_secrets_are_a_list_or_all_or_none_and_a_pipeline_has_its_own() {
    let kinds = |top: &str, own: &str| {
        let s = settings(&format!(
            "{top}\n[[pipeline]]\nname = 'a'\n{own}\nsteps = [{{ name = 's', run = 'true' }}]\n"
        ));
        (s.redact.clone(), s.pipelines[0].redact.clone())
    };
    let all = SecretKind::ALL.map(|(_, kind)| kind).to_vec();
    assert_eq!(kinds("", ""), (vec![], None));
    assert_eq!(kinds("redact = true", "redact = false"), (all, Some(vec![])));
    let two = vec![SecretKind::Jwt, SecretKind::Aws];
    assert_eq!(
        kinds("redact = ['jwt', 'aws']", "redact = ['url']"),
        (two, Some(vec![SecretKind::Url]))
    );
}

#[test]
fn a_kind_of_secret_that_is_not_known_is_told() {
    let names = "aws, github, jwt, pem, tailboard, url";
    for (text, said) in [
        (
            "redact = ['aws',\n'gihub']",
            format!("t.toml:2: redact: has \"gihub\"; did you mean github? (there are {names})"),
        ),
        ("redact = ['password']", format!("has \"password\" (there are {names})")),
        (
            "redact = 'aws'",
            format!("redact: is \"aws\", wanted is true, false or a list of {names}"),
        ),
        ("redact = [1]", format!("redact: is a list, wanted is true, false or a list of {names}")),
    ] {
        assert!(mistakes(text).contains(&said), "{}", mistakes(text));
    }
}

#[test]
fn who_gets_in_is_understood() {
    let text = r#"
        public_url = "https://Jobs.example.com"
        trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]
        [limits]
        streams_per_caller = 7
        [access]
        session_idle = "2h"
        [access.jwt]
        issuer = "https://id.example.com/"
        audience = "tailboard"
        jwks_url = "https://id.example.com/keys"
        algorithms = ["ES256"]
        roles = { ops = "operator" }
    "#;
    let access = parse(Path::new("/etc/t.toml"), text).unwrap().access;
    assert_eq!(access.public_url.unwrap().origin, "https://jobs.example.com");
    assert_eq!(access.trusted_proxies.len(), 2);
    assert_eq!((access.limits.streams_per_caller, access.limits.streams), (7, 20_000));
    assert_eq!(access.access.session_idle, Duration::from_secs(7200));
    let issuer = access.access.issuer.unwrap();
    let url = "https://id.example.com/keys".to_owned();
    assert_eq!(issuer.keys, ::access::token::KeySource::Url(url));
    assert_eq!((issuer.role_claim.as_str(), issuer.roles["ops"]), ("role", shared::Role::Operator));
}

#[test]
fn mistakes_about_who_gets_in_say_what_is_wanted() {
    let text = r#"public_url = "https://example.com/board"
trusted_proxies = ["10.0.0.0/8", "proxy"]
[limits]
streams = 0
[access]
session_idle = "1s"
[access.jwt]
issuer = "x"
jwks_url = "http://id.example.com/keys"
algorithms = ["HS256"]
roles = { ops = "root" }
"#;
    let expected = [
        "t.toml:1: public_url: is \"https://example.com/board\": the board cannot be below a path; \
         give it a host name of its own",
        "t.toml:2: trusted_proxies: has \"proxy\": wanted is an address, or a network such as 10.0.0.0/8",
        "t.toml:4: limits.streams: is 0, wanted is a whole number from 1 to 1000000",
        "t.toml:6: access.session_idle: is \"1s\"",
        "access.jwt.audience: is missing, wanted is what the claim aud has to be or contain",
        "t.toml:9: access.jwt.jwks_url: is \"http://id.example.com/keys\": wanted is https://, or \
         http:// on this machine",
        "t.toml:10: access.jwt.algorithms: has \"HS256\": there are RS256",
        "access.jwt.roles: gives \"ops\" the role \"root\": there are viewer, operator, admin",
    ];
    let said = mistakes(text);
    for expected in expected {
        assert!(said.contains(expected), "{expected}\nis not in\n{said}");
    }
    let jwt = "[access.jwt]\nissuer = 'x'\naudience = 'x'\nkey_file = 'none.pem'";
    let said = mistakes(jwt);
    assert!(said.contains("t.toml:4: access.jwt.key_file: cannot be used"), "{said}");
    let said = mistakes("[access]\nsession_idle = '2d'\nsession_longest = '1d'");
    assert!(said.contains("session_idle is longer than session_longest"), "{said}");
}

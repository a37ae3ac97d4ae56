//! `tailboard check`, and what a start says of a configuration.

use super::{Served, output};
use crate::running::pipeline;
use std::{fs::Permissions, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_every_mistake_listed() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("wrong.toml");
    std::fs::write(&config, "grace = 1\n\n[[pipeline]]\nname = 'a b'\n").unwrap();
    let config = config.to_str().unwrap();
    for verb in ["serve", "check"] {
        let (status, _, errors) = output(&[verb, "--config", config]).await;
        assert_eq!(status, Some(2));
        for place in [":1: grace: ", ":4: pipeline[a b].name: ", ":3: pipeline[a b].steps: "] {
            assert!(errors.contains(&format!("{config}{place}")), "{errors}");
        }
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_told_by_its_name() {
    let (status, _, errors) = output(&["check", "--config", "/nowhere/t.toml"]).await;
    assert_eq!(status, Some(2));
    assert!(errors.contains("/nowhere/t.toml"), "{errors}");
    assert_eq!(errors.matches("No such file").count(), 1, "{errors}");
}

#[tokio::test]
async fn a_right_configuration_is_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("right.toml");
    let hello = pipeline("hello", &["true", "true"]);
    let hello = hello.replacen("[[pipeline.steps]]", "cron = '@daily'\n[[pipeline.steps]]", 1);
    std::fs::write(&config, hello).unwrap();
    let (status, said, _) = output(&["check", "--config", config.to_str().unwrap()]).await;
    assert_eq!(status, Some(0));
    assert!(
        said.contains("runs at @daily (UTC); what is late by over a minute is left out"),
        "{said}"
    );
    assert!(said.contains("pipeline hello (queue default): step 1, step 2"), "{said}");
}

#[tokio::test]
async fn a_check_tells_all_that_differs_from_the_usual_and_what_is_usual_once() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("right.toml");
    let text = r#"
        min_free_disk = "512MiB"
        grace = "10s"
        [retention]
        failed = "never"
        [limits]
        streams = 7
        [[pipeline]]
        name = "nightly"
        cron = "0 3 * * *"
        overlap = "queue"
        catch_up = true
        timeout = "90m"
        retries = 2
        retry_delay = "30s"
        on_lost = "retry"
        priority = -5
        max_concurrent = 1
        max_log_bytes = "10MB"
        env = { PASSWORD = "hunter2" }
        [[pipeline.params]]
        name = "who"
        pattern = "[a-z]+"
        default = "you"
        description = "Whom to greet"
        [[pipeline.steps]]
        name = "build"
        run = "true"
        timeout = "1m"
        continue_on_error = true
    "#;
    std::fs::write(&config, text).unwrap();
    let (status, said, errors) = output(&["check", "--config", config.to_str().unwrap()]).await;
    assert_eq!(status, Some(0), "{errors}");
    let (said, usual) = said.split_once("as usual where nothing else is said: ").unwrap();
    for line in [
        "min_free_disk = 512MiB",
        "retention.failed = never",
        "limits.streams = 7",
        "    overlap = queue",
        "    catch_up = true",
        "  timeout = 1h30m",
        "  retries = 2",
        "  retry_delay = 30s",
        "  on_lost = retry",
        "  priority = -5",
        "  max_concurrent = 1",
        "  max_log_bytes = 10MB",
        "  env = [PASSWORD]",
        "  parameter who (string that matches [a-z]+, \"you\" if it is not given): Whom to greet",
        "  step build: timeout = 1m, continue_on_error = true",
    ] {
        assert!(said.lines().any(|told| told == line), "{line:?} in {said}");
    }
    assert!(!said.contains("grace") && !said.contains("hunter2"), "{said}");
    assert!(usual.contains("grace = 10s, max_log_bytes = 2GiB, min_free_disk = 1GiB"), "{usual}");
    assert!(usual.contains("overlap = skip, catch_up = false"), "{usual}");
}

#[tokio::test]
async fn secrets_that_others_can_read_are_warned_of_at_check_start_and_reload() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = dir.path().join("secrets.env");
    std::fs::write(&secrets, "TOKEN=sesame\n").unwrap();
    let chmod = |mode| std::fs::set_permissions(&secrets, Permissions::from_mode(mode)).unwrap();
    chmod(0o640);
    let two = [pipeline("one", &["true"]), pipeline("two", &["true"])];
    let toml = two.map(|text| text.replacen("name", "env_file = 'secrets.env'\nname", 1)).concat();
    let path = secrets.display();
    let warning = format!("env_file {path} can be read or changed by others (mode 640)");

    let mut server = Served::start(dir.path(), &toml).await;
    server.says(&warning).await;
    let config = dir.path().join("tailboard.toml");
    let check = ["check", "--config", config.to_str().unwrap()];
    let (status, said, _) = output(&check).await;
    assert_eq!((status, said.matches(&warning).count()), (Some(0), 1), "{said}");
    assert!(said.contains(&format!("chmod 600 {path}")));
    server.signal("-HUP");
    server.says(&warning).await;

    chmod(0o600);
    assert!(!output(&check).await.1.contains("warning"));
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

#[tokio::test]
async fn files_of_secrets_that_no_run_could_read_are_mistakes_among_the_others_at_check_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("short.env", "TOKEN=abc\n"), ("open.env", "TOKEN=sesame\n")] {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    }
    let with = |name: &str, file: &str| {
        pipeline(name, &["true"]).replacen("name", &format!("env_file = '{file}'\nname"), 1)
    };
    let toml = with("gone", "none.env") + &with("short", "short.env") + &with("open", "open.env");
    let mut server = Served::start(dir.path(), &toml).await;
    server.run("open").await;
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));

    let config = dir.path().join("tailboard.toml");
    std::fs::write(&config, format!("grace = 1\n{toml}")).unwrap();
    let (status, said, errors) = output(&["check", "--config", config.to_str().unwrap()]).await;
    assert_eq!(status, Some(2));
    for part in [
        ":1: grace: ",
        ":3: pipeline[gone].env_file: ",
        "none.env: No such file or directory",
        "pipeline[short].env_file: ",
        "short.env:1: the value of TOKEN is shorter than 4 bytes",
    ] {
        assert!(errors.contains(part), "{part}\n{errors}");
    }
    assert!(!errors.contains("open.env") && !errors.contains("abc"), "{errors}");
    assert!(said.contains("open.env can be read or changed by others"), "{said}");
    assert!(!said.contains("no mistakes"), "{said}");
}

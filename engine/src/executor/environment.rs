//! What a step is given by the server's own surroundings, and the marker by which a step and all it
//! starts are found again.

use crate::{
    definition::{Definition, Settings, StepDef},
    params::variable,
};
use shared::JobId;
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Variable that carries the [`Marker`].
pub const MARKER: &str = "TAILBOARD_RUN";
/// Variables of the server that every step gets; those that begin with `LC_` too.
const PASSED_ON: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"];

/// `<install id>/<job id>/<attempt>`: in the environment of every process of an attempt, but never
/// in the executor's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Made with the data directory; no slash in it.
    pub install: String,
    pub job: JobId,
    pub attempt: u32,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.install, self.job, self.attempt)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run's marker is <install id>/<job id>/<attempt>")]
pub struct BadMarker;

impl FromStr for Marker {
    type Err = BadMarker;

    fn from_str(text: &str) -> Result<Self, BadMarker> {
        let mut parts = text.split('/');
        let (Some(install), Some(job), Some(attempt), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadMarker);
        };
        Ok(Self {
            install: install.to_owned(),
            job: job.parse().map_err(|_| BadMarker)?,
            attempt: attempt.parse().map_err(|_| BadMarker)?,
        })
    }
}

/// What of the server's surroundings its steps get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Variables with a name or value that is not UTF-8 are not passed on.
    pub env: BTreeMap<String, String>,
    /// Soft limit of open files; none: unlimited.
    pub open_files: Option<u64>,
    pub umask: u32,
}

impl Inherited {
    /// As this process has them now. To be called before a server raises its own limits.
    pub fn capture() -> Self {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        Self { env, open_files: limit.current, umask: crate::linux::umask() }
    }

    /// The whole environment of one step: what is always passed on, what `inherit_env` names, the
    /// pipeline's `env`, its secrets, the step's `env`, the parameters, and what says which run it is; a later one
    /// wins.
    pub fn of_step(
        &self,
        settings: &Settings,
        pipeline: &Definition,
        step: &StepDef,
        params: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, String>,
        marker: &Marker,
    ) -> BTreeMap<String, String> {
        let passed_on = |name: &str| {
            PASSED_ON.contains(&name)
                || name.starts_with("LC_")
                || settings.inherit_env.iter().any(|inherited| inherited == name)
        };
        let own = [
            ("TAILBOARD_JOB_ID", marker.job.to_string()),
            ("TAILBOARD_PIPELINE", pipeline.name.clone()),
            ("TAILBOARD_STEP", step.name.clone()),
            ("TAILBOARD_ATTEMPT", marker.attempt.to_string()),
            (MARKER, marker.to_string()),
        ];
        let inherited = self.env.iter().filter(|(name, _)| passed_on(name));
        inherited
            .chain(&pipeline.env)
            .chain(secrets)
            .chain(&step.env)
            .map(|(name, value)| (name.clone(), value.clone()))
            .chain(params.iter().map(|(name, value)| (variable(name), value.clone())))
            .chain(own.map(|(name, value)| (name.to_owned(), value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Phase;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_step_gets_exactly_what_is_listed() {
        let server = Inherited {
            env: map(&[
                ("PATH", "/bin"),
                ("LC_TIME", "C"),
                ("SECRET", "s"),
                ("TOKEN", "t"),
                ("A", "server"),
            ]),
            open_files: None,
            umask: 0o22,
        };
        let settings = Settings { inherit_env: vec!["TOKEN".into()], ..Settings::default() };
        let step = StepDef {
            name: "greet".into(),
            phase: Phase::Execution,
            run: "true".into(),
            env: map(&[("A", "step")]),
            ..StepDef::default()
        };
        let pipeline = Definition {
            name: "hello".into(),
            queue: "default".into(),
            env: map(&[("A", "pipeline"), ("B", "pipeline")]),
            steps: vec![step.clone()],
            ..Definition::default()
        };
        let job: JobId = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1".parse().unwrap();
        let marker = Marker { install: "i".into(), job, attempt: 2 };
        let run = format!("i/{job}/2");
        assert_eq!(
            server.of_step(
                &settings,
                &pipeline,
                &step,
                &map(&[("depth", "3")]),
                &map(&[("B", "secret")]),
                &marker
            ),
            map(&[
                ("A", "step"),
                ("B", "secret"),
                ("LC_TIME", "C"),
                ("PARAM_DEPTH", "3"),
                ("PATH", "/bin"),
                ("TAILBOARD_ATTEMPT", "2"),
                ("TAILBOARD_JOB_ID", &job.to_string()),
                ("TAILBOARD_PIPELINE", "hello"),
                ("TAILBOARD_RUN", &run),
                ("TAILBOARD_STEP", "greet"),
                ("TOKEN", "t"),
            ])
        );
        assert_eq!(run.parse(), Ok(marker));
    }
}

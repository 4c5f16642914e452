//! Metrics that follow from another one, such as the rate from the time: the same loss would be told once more for each, and
//! the more series there are to judge, the surer each has to be. They are left out where what they follow from is judged,
//! unless somebody asks for them by name. That they are shown everywhere else is none of this file's business.

use std::collections::BTreeSet;

use super::selection::Selection;
use crate::judge::{Candidate, Follower, Series};
use crate::model::SeriesKey;
use crate::settings::Settings;

/// Takes out of what is judged the series whose candidates follow from another one of it, and says which metrics those are.
pub fn set_aside(sides: &mut Vec<(Series, Candidate)>, selection: &Selection, policy: &Settings) -> Vec<Follower> {
    let is_asked_for =
        |key: &SeriesKey| selection.names_metric(&key.metric) || policy.names_threshold(&key.benchmark, &key.metric);
    // What follows leads nobody: of two that name each other, none would be left.
    let leads = |(series, candidate): &(Series, Candidate)| {
        let is_judged = candidate.follows.is_none() || is_asked_for(&series.key);
        (is_judged && !candidate.runs.is_empty()).then(|| series.key.clone())
    };
    let leads: BTreeSet<SeriesKey> = sides.iter().filter_map(leads).collect();
    let mut followers = BTreeSet::new();
    sides.retain(|(series, candidate)| {
        let Some(lead) = &candidate.follows else { return true };
        let is_led = leads.contains(&SeriesKey { metric: lead.clone(), ..series.key.clone() });
        if !is_led || is_asked_for(&series.key) {
            return true;
        }
        followers.insert(Follower { lead: lead.clone(), metric: series.key.metric.clone() });
        false
    });
    followers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cli::SeriesArgs;
    use crate::judge::MeasuredRun;
    use crate::model::{BenchmarkName, Config, LineId, Metric, MetricName, ObjectId, Summary};

    fn name(metric: &str) -> MetricName {
        MetricName::new(metric).unwrap()
    }

    fn side(metric: &str, follows: Option<&str>) -> (Series, Candidate) {
        let metric = Metric { name: name(metric), ..Metric::time() };
        let key = SeriesKey {
            benchmark: BenchmarkName::new("b").unwrap(),
            config: Config::empty(),
            metric: metric.name.clone(),
            testbed: "t".to_owned(),
        };
        let run = MeasuredRun {
            commit: ObjectId::from_bytes(&[1; 20]).unwrap(),
            position: 0,
            run: LineId::from_parts(1, 1),
            time: DateTime::UNIX_EPOCH,
            summary: Summary::single(1.0),
            machine_code: None,
        };
        let candidate = Candidate { runs: vec![run], follows: follows.map(name), ..Candidate::default() };
        (Series::empty(key, metric), candidate)
    }

    /// The metrics that are left to judge.
    #[track_caller]
    fn check(sides: &[(&str, Option<&str>)], asked: &[&str], settings: &str, expected: &[&str]) {
        let mut sides: Vec<_> = sides.iter().map(|(metric, follows)| side(metric, *follows)).collect();
        let metrics = asked.iter().map(|metric| (*metric).to_owned()).collect();
        let selection = Selection::new(&SeriesArgs { metrics, ..SeriesArgs::default() }).unwrap();
        let before = sides.len();
        let followers = set_aside(&mut sides, &selection, &Settings::parse(settings.as_bytes(), "ratchet.toml").unwrap());
        let left: Vec<_> = sides.iter().map(|(series, _)| series.key.metric.as_str()).collect();
        assert_eq!((left.as_slice(), followers.len()), (expected, before - expected.len()));
    }

    #[test]
    fn a_rate_is_left_to_its_time() {
        let both = [("rate", Some("time")), ("time", None)];
        check(&both, &[], "", &["time"]);
        check(&both, &["rate"], "", &["rate", "time"]);
        check(&both, &[], "[metric.rate]\nregression = 5", &["rate", "time"]);
        check(&both, &[], "[metric.time]\nregression = 5", &["time"]);
        check(&[("rate", Some("time")), ("size", None)], &[], "", &["rate", "size"]);
    }

    #[test]
    fn what_is_not_judged_itself_answers_for_nobody() {
        check(&[("a", Some("a"))], &[], "", &["a"]);
        check(&[("a", Some("b")), ("b", Some("a"))], &[], "", &["a", "b"]);
        check(&[("a", Some("b")), ("b", Some("c")), ("c", None)], &[], "", &["a", "c"]);
    }
}

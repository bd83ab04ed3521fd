//! One question is asked once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use promql_adapter::config::{BackendSettings, OnPartial};
use promql_adapter::model::Timestamp;
use promql_adapter::prometheus::{Ages, Backend, Cache, Cached, Error, Freshness, Question};
use promql_adapter::telemetry::Metrics;
use tokio::sync::Semaphore;

use super::{at, backend, question, settings};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

const AGES: Ages = Ages {
    fresh_for: Duration::from_secs(10),
    serve_stale_for: Duration::from_secs(15),
    failure_hold: Duration::from_secs(5),
    evaluation_grid: Duration::from_secs(5),
};

/// A backend with a cache before it, asked for `up`.
struct Fixture {
    fake: FakePrometheus,
    backend: Backend,
    cache: Cache,
}

impl Fixture {
    async fn start(ages: Ages) -> Fixture {
        let fake = FakePrometheus::start().await;
        fake.on("up", Reply::vector(&[(&[], "1")]));
        let backend = backend(&settings(fake.url()));
        Fixture {
            fake,
            backend,
            cache: Cache::new(ages, Arc::new(Metrics::default())),
        }
    }

    async fn ask(&self, now: Timestamp) -> Result<Cached, Arc<Error>> {
        self.cache.answer(&self.backend, &question("up"), now).await
    }

    fn fail(&self) {
        self.fake.on("up", Reply::status(503, "busy"));
    }

    fn recover(&self) {
        self.fake.on("up", Reply::vector(&[(&[], "2")]));
    }

    /// How many requests reached the backend.
    fn asked(&self) -> usize {
        self.fake.requests().len()
    }
}

/// What came back in a word or two.
fn told(result: &Result<Cached, Arc<Error>>) -> String {
    match result {
        Ok(Cached {
            answer,
            freshness,
            hit,
        }) => {
            let freshness = if matches!(freshness, Freshness::Fresh) {
                "fresh"
            } else {
                "stale"
            };
            let hit = if *hit { ", at hand" } else { "" };
            format!("{freshness} {}{hit}", answer.samples[0].value)
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn hundred_callers_at_once_make_one_request() {
    let fixture = Fixture::start(AGES).await;
    let gate = Arc::new(Semaphore::new(0));
    fixture.fake.on("up", Reply::vector(&[(&[], "1")]).behind(&gate));
    let callers = join_all((0..100).map(|number| fixture.ask(at(number))));
    let open = async { gate.add_permits(100) };
    let (results, ()) = tokio::join!(callers, open);
    assert!(results.iter().all(|result| told(result) == "fresh 1"));
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn hundred_callers_at_once_share_one_failure_even_if_none_is_held() {
    let fixture = Fixture::start(Ages {
        failure_hold: Duration::ZERO,
        ..AGES
    })
    .await;
    fixture.fail();
    let results = join_all((0..100).map(|_| fixture.ask(at(0)))).await;
    assert!(
        results
            .iter()
            .all(|result| told(result) == "the backend is overloaded: busy")
    );
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn caller_who_goes_away_does_not_end_the_request_for_the_others() {
    let fixture = Fixture::start(AGES).await;
    let gate = Arc::new(Semaphore::new(0));
    fixture.fake.on("up", Reply::vector(&[(&[], "1")]).behind(&gate));
    tokio::select! {
        biased;
        _ = fixture.ask(at(0)) => panic!("the gate is closed"),
        () = tokio::task::yield_now() => {}
    }
    gate.add_permits(1);
    assert_eq!(told(&fixture.ask(at(0)).await), "fresh 1");
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn answer_is_fresh_until_its_evaluation_time_is_too_old() {
    let fixture = Fixture::start(AGES).await;
    // Evaluated at 5 s, on the grid.
    assert_eq!(told(&fixture.ask(at(7_000)).await), "fresh 1");
    assert_eq!(
        fixture.fake.requests()[0].parameter("time"),
        Some("1700000005.000")
    );
    assert_eq!(told(&fixture.ask(at(14_999)).await), "fresh 1, at hand");
    fixture.recover();
    assert_eq!(told(&fixture.ask(at(15_000)).await), "fresh 2");
    assert_eq!(
        fixture.fake.requests()[1].parameter("time"),
        Some("1700000015.000")
    );
}

#[tokio::test]
async fn last_answer_stands_in_after_a_failure_and_not_for_long() {
    let fixture = Fixture::start(AGES).await;
    assert_eq!(told(&fixture.ask(at(0)).await), "fresh 1");
    fixture.fail();
    assert_eq!(told(&fixture.ask(at(10_000)).await), "stale 1");
    assert_eq!(told(&fixture.ask(at(14_000)).await), "stale 1, at hand");
    assert_eq!(fixture.asked(), 2, "the failure is held");
    assert_eq!(
        told(&fixture.ask(at(15_000)).await),
        "the backend is overloaded: busy"
    );
    assert_eq!(
        told(&fixture.ask(at(21_000)).await),
        "the backend is overloaded: busy"
    );
    assert_eq!(fixture.asked(), 3, "after the hold the backend is asked again");
    fixture.recover();
    assert_eq!(told(&fixture.ask(at(30_000)).await), "fresh 2");
}

#[tokio::test]
async fn last_answer_grows_old_while_the_backend_is_waited_for() {
    let mut fixture = Fixture::start(AGES).await;
    fixture.ask(at(0)).await.unwrap();
    fixture.fake.on("up", Reply::hang());
    fixture.backend = backend(&BackendSettings {
        timeout: Duration::from_millis(600),
        ..settings(fixture.fake.url())
    });
    let error = fixture.ask(at(14_500)).await.unwrap_err();
    assert!(
        matches!(*error, Error::TimedOut(_)),
        "15.1 s are too old: {error}"
    );
}

#[tokio::test]
async fn many_large_answers_are_not_all_remembered() {
    const EACH_BYTES: usize = 900_000;
    let fixture = Fixture::start(AGES).await;
    // Four times what is remembered: what is too much is let go of a little later.
    let number = (24 << 20) / EACH_BYTES * 4;
    let long = "x".repeat(EACH_BYTES);
    for query in 0..number {
        let query = format!("up{query}");
        fixture.fake.on(&query, Reply::vector(&[(&[("a", &long)], "1")]));
        let asked = question(&query);
        fixture
            .cache
            .answer(&fixture.backend, &asked, at(0))
            .await
            .unwrap();
    }
    for query in 0..number {
        let asked = question(&format!("up{query}"));
        fixture
            .cache
            .answer(&fixture.backend, &asked, at(0))
            .await
            .unwrap();
    }
    let again = fixture.asked() - number;
    assert!(again >= 10, "{again} of {number} asked again");
}

#[tokio::test]
async fn no_stale_answer_when_that_is_turned_off() {
    let fixture = Fixture::start(Ages {
        serve_stale_for: Duration::ZERO,
        ..AGES
    })
    .await;
    fixture.ask(at(0)).await.unwrap();
    fixture.fail();
    assert_eq!(
        told(&fixture.ask(at(10_000)).await),
        "the backend is overloaded: busy"
    );
}

#[tokio::test]
async fn stale_answer_names_the_failure() {
    let fixture = Fixture::start(AGES).await;
    fixture.ask(at(0)).await.unwrap();
    fixture.fail();
    let Freshness::Stale { because } = fixture.ask(at(10_000)).await.unwrap().freshness else {
        panic!("the backend failed")
    };
    assert_eq!(because.client_text(), "the backend is overloaded");
}

#[tokio::test]
async fn questions_that_differ_in_what_they_accept_are_different_questions() {
    let fixture = Fixture::start(AGES).await;
    let partial = r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}}"#;
    fixture.fake.on("up", Reply::json(partial));
    assert!(matches!(
        *fixture.ask(at(0)).await.unwrap_err(),
        Error::Partial { .. }
    ));
    let accepting = Question {
        on_partial: OnPartial::Accept,
        ..question("up")
    };
    fixture
        .cache
        .answer(&fixture.backend, &accepting, at(0))
        .await
        .unwrap();
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn backends_do_not_share_answers() {
    let (one, two) = (Fixture::start(AGES).await, FakePrometheus::start().await);
    two.on("up", Reply::vector(&[(&[], "9")]));
    one.ask(at(0)).await.unwrap();
    let settings = settings(two.url());
    let client = promql_adapter::http::Client::new(&settings, &Default::default()).unwrap();
    let other = Backend::new("other", &settings, client, Arc::new(Metrics::default()));
    let answer = one.cache.answer(&other, &question("up"), at(0)).await;
    assert_eq!(told(&answer), "fresh 9");
}

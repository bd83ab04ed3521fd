//! A backend that dies and comes back.

use promql_adapter::api::{Answer, Explanation};

use super::{OBJECTS, Scene, custom, even_load, explained, failure, until};
use crate::support::servers::Kind;

const RULES: &str = "
evaluationGrid: 1s
freshFor: 1s
serveStaleFor: 5s
failureHold: 200ms
rules:
  - metric: qps
    rate: {counter: http_requests_total, window: 6s}
";

#[tokio::test]
async fn last_answer_is_served_while_it_is_young_then_nothing_then_new_answers() {
    let shop = even_load();
    let mut scene = Scene::start(Kind::Prometheus2, &shop).await;
    let adapter = scene.adapter(RULES, OBJECTS).await;
    let path = custom("pods/*/qps");
    let whole = until("an answer for every pod", async || {
        let explanation = explained(&adapter, &path).await;
        match &explanation.answer {
            Answer::Values(values) if values.len() == 3 => Ok(explanation),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    scene.backend.stop();
    let stale = until("the last answer, served again", async || {
        let explanation = explained(&adapter, &path).await;
        let because = "the last answer is served because the backend is unreachable";
        let is_stale = explanation.way.notes.iter().any(|note| note == because);
        if is_stale {
            Ok(explanation)
        } else {
            Err(format!("{explanation:?}"))
        }
    })
    .await;
    assert!(stale.way.evaluated_at >= whole.way.evaluated_at);
    assert_eq!(
        times(&stale),
        vec![stale.way.evaluated_at.clone(); 3],
        "no time is made up"
    );

    until("503", async || {
        let explanation = explained(&adapter, &path).await;
        match failure(&explanation) {
            None => {
                assert_eq!(explanation.answer, stale.answer, "nothing but the last answer");
                Err(format!("{:?}", explanation.answer))
            }
            Some((503, "BackendUnavailable", message)) => {
                let expected = "unable to fetch metric qps (rules[0]): the backend is unreachable";
                assert_eq!(message, expected);
                Ok(())
            }
            Some(other) => panic!("{other:?}"),
        }
    })
    .await;
    assert_eq!(adapter.get(&path).await.status(), 503);
    assert_eq!(adapter.get("/readyz").await.status(), 200);

    scene.backend.start_again().await;
    let again = until("an answer of the backend that came back", async || {
        let explanation = explained(&adapter, &path).await;
        match failure(&explanation) {
            None => Ok(explanation),
            Some(failure) => Err(format!("{failure:?}")),
        }
    })
    .await;
    assert!(again.way.evaluated_at > stale.way.evaluated_at);
    assert_eq!(again.way.notes, [""; 0]);
    shop.workload.stop().await;
}

/// The times of the values served.
fn times(explanation: &Explanation) -> Vec<Option<String>> {
    match &explanation.answer {
        Answer::Values(values) => values.iter().map(|value| Some(value.at.clone())).collect(),
        failure => panic!("{failure:?}"),
    }
}

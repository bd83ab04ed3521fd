//! The sample workload starts, tells the truth and stops.

use promql_adapter::workload::{Options, Truth};
use tokio::net::TcpStream;

use crate::support::servers::{http_client, start_shop};

#[tokio::test]
async fn truth_is_served_beside_the_metrics() {
    let shop = start_shop(Options::default());
    let address = shop.workload.targets()[0].address;
    let url = format!("http://{address}/truth?seconds=30");
    let text = http_client().get(url).send().await.unwrap().text().await.unwrap();
    let truth: Truth = serde_json::from_str(&text).unwrap();
    assert_eq!(truth.window_seconds, 30.0);
    shop.workload.stop().await;
}

#[tokio::test]
async fn stopped_workload_listens_no_more() {
    let shop = start_shop(Options::default());
    let address = shop.workload.targets()[2].address;
    assert!(TcpStream::connect(address).await.is_ok());
    shop.workload.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

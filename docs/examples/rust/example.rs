//! One Reason, one stream, one error.
//!
//! From the repository's folder, beside a running `npm start`: `bash docs/examples/rust/run`

use tandem_snn::v1::ReasonRequest;
use tandem_snn::{Client, Error};

const TEXTS: [&str; 3] = ["a small furry animal", "a musical instrument with strings", "to run very fast"];

fn request(text: &str) -> ReasonRequest {
    ReasonRequest { request_id: text.into(), text: text.into(), ..Default::default() }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:50051".into());
    let client = Client::new(&address)?;

    let answer = client.reason(request(TEXTS[0])).await?;
    println!("answer: {} {}", answer.label, answer.digest_hex());

    let mut answers = client.reason_stream(tokio_stream::iter(TEXTS.map(request))).await?;
    let (mut count, mut last) = (0, String::new());
    while let Some(answer) = answers.next_answer().await? {
        let response = answer.outcome?;
        count += 1;
        // Answers come in any order: the request's id tells them apart.
        if answer.request_id == TEXTS[TEXTS.len() - 1] {
            last = response.digest_hex();
        }
    }
    println!("stream: {count} answers, {last} of the last");

    let too_short = ReasonRequest { encoding: vec![1.0, 2.0, 3.0], ..Default::default() };
    if let Err(error) = client.reason(too_short).await {
        println!("error: {}", error.reason);
    }
    Ok(())
}

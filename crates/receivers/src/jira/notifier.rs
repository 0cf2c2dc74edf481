use alertmanager::integration::{Notification, NotifyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Config;
use crate::{
    client::check_status,
    payload::{self, to_go_json},
    sender::{Sender, Tell, Texts, context, fit},
    values::HttpUrl,
};

/// More is refused by Jira.
const SUMMARY_RUNES_MAX: usize = 255;
const DESCRIPTION_RUNES_MAX: usize = 32767;

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    issues: Vec<Issue>,
}

#[derive(Deserialize, Clone)]
struct Issue {
    key: String,
    #[serde(default)]
    fields: Value,
}

#[derive(Deserialize)]
struct Transitions {
    #[serde(default)]
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct Transition {
    id: String,
    name: String,
}

impl Tell for Config {
    async fn tell(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        notification: &Notification,
    ) -> Result<(), NotifyError> {
        let is_firing = !texts.is_resolved();
        let label = format!("ALERT{{{}}}", notification.group_key_hash());
        let issue = self.search(sender, texts, &label, is_firing).await;
        let issue = issue.map_err(context("failed to look up existing issues"))?;
        if issue.is_none() && !is_firing {
            // Nobody needs to hear of what is over before it was told.
            return Ok(());
        }
        let mut fields = self.fields(texts, &label, notification)?;
        let (method, path) = match &issue {
            None => (Method::POST, "issue".to_owned()),
            Some(issue) => {
                let kept = [("description", &self.description), ("summary", &self.summary)];
                for (name, _) in kept.into_iter().filter(|(_, field)| !field.is_updated()) {
                    fields.remove(name);
                }
                (Method::PUT, format!("issue/{}", issue.key))
            }
        };
        let action = format!("failed to {method} request to {path:?}");
        let body = json!({"fields": fields});
        self.call(sender, method, &path, Some(&body)).await.map_err(context(&action))?;
        match issue {
            Some(issue) => self.follow(sender, &issue, is_firing).await,
            None => Ok(()),
        }
    }
}

impl Config {
    /// The issue of the group: an open one, or, while alerts fire, one that may be opened again.
    async fn search(
        &self,
        sender: &Sender,
        texts: &Texts<'_>,
        label: &str,
        is_firing: bool,
    ) -> Result<Option<Issue>, NotifyError> {
        let jql = self.jql(texts, label, is_firing)?;
        let (url, body) = self.search_request(&jql);
        let found = self.send(sender, Method::POST, &url, Some(&body)).await;
        let found = found.map_err(context("HTTP request to JIRA API"))?;
        let Found { issues } = parse(&found)?;
        if let [first, _, ..] = issues.as_slice() {
            let selected_issue = &first.key;
            tracing::warn!(
                selected_issue,
                "more than one issue matched, selecting the most recently resolved"
            );
        }
        Ok(issues.into_iter().next())
    }

    pub(crate) fn jql(
        &self,
        texts: &Texts<'_>,
        label: &str,
        is_firing: bool,
    ) -> Result<String, NotifyError> {
        let quote = model::labels::quote;
        let mut jql = String::new();
        if !self.wont_fix_resolution.is_empty() {
            let resolution = quote(&self.wont_fix_resolution);
            jql.push_str(&format!("(resolution is EMPTY or resolution != {resolution}) and "));
        }
        let minutes = self.reopen_duration.0.as_secs() / 60;
        if is_firing && !self.reopen_transition.is_empty() && minutes > 0 {
            jql.push_str(&format!(
                "(resolutiondate is EMPTY OR resolutiondate >= -{minutes}m) and "
            ));
        } else {
            jql.push_str("statusCategory != Done and ");
        }
        let project = texts.text(&self.project);
        let project = quote(&project.map_err(context("invalid project template or value"))?);
        let label = quote(label);
        jql.push_str(&format!(
            "project={project} and labels={label} order by status ASC,resolutiondate DESC"
        ));
        Ok(jql)
    }

    /// The cloud has another way to search than the data centre.
    pub(crate) fn search_request(&self, jql: &str) -> (String, Value) {
        let body = json!({"jql": jql, "maxResults": 2, "fields": ["status"]});
        let api = self.api();
        let host = api.split('/').nth(2).unwrap_or_default();
        let is_cloud = match self.api_type.as_str() {
            "cloud" => true,
            "auto" => host.ends_with("atlassian.net"),
            _ => false,
        };
        let url = match is_cloud {
            true => self.url("search/jql").replacen("/rest/api/2/", "/rest/api/3/", 1),
            false => self.url("search"),
        };
        (url, body)
    }

    fn api(&self) -> &str {
        self.api_url.as_ref().map_or("", HttpUrl::as_str)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.api().trim_end_matches('/'))
    }

    pub(crate) fn fields(
        &self,
        texts: &Texts<'_>,
        label: &str,
        notification: &Notification,
    ) -> Result<Map<String, Value>, NotifyError> {
        let render =
            |what: &str, text: &str| texts.text(text).map_err(context(&format!("{what} template")));
        let mut fields = Map::new();
        for (name, tree) in &self.fields {
            let rendered = payload::render(tree, &mut |text| texts.text(text));
            fields.insert(name.clone(), rendered.map_err(context("fields template"))?);
        }
        let summary = render("summary", self.summary.template())?;
        let summary = fit(&summary, SUMMARY_RUNES_MAX, "summary", notification);
        fields.insert("summary".to_owned(), json!(summary));
        fields.insert("project".to_owned(), json!({"key": render("project", &self.project)?}));
        let kind = render("issue_type", &self.issue_type)?;
        fields.insert("issuetype".to_owned(), json!({"name": kind}));
        let description = render("description", self.description.template())?;
        if let Some(description) = self.rendered_description(&description, notification)? {
            fields.insert("description".to_owned(), description);
        }
        let mut labels = vec![label.to_owned()];
        for (idx, text) in self.labels.iter().enumerate() {
            labels.push(render(&format!("labels[{idx}]"), text)?);
        }
        labels.sort();
        fields.insert("labels".to_owned(), json!(labels));
        let priority = render("priority", &self.priority)?;
        if !priority.is_empty() {
            fields.insert("priority".to_owned(), json!({"name": priority}));
        }
        Ok(fields)
    }

    /// Text, but to version 3 of the API a document in JSON.
    fn rendered_description(
        &self,
        text: &str,
        notification: &Notification,
    ) -> Result<Option<Value>, NotifyError> {
        let text = fit(text, DESCRIPTION_RUNES_MAX, "description", notification);
        let path = self.api().split(['?', '#']).next().unwrap_or_default();
        let is_v3 = path.trim_end_matches('/').ends_with("/3");
        match text.as_str() {
            text if is_v3 && text.trim().is_empty() => Ok(None),
            "" => Ok(None),
            text if is_v3 => serde_json::from_str(text).map(Some).map_err(|_| {
                NotifyError::permanent("description template: invalid JSON for API v3")
            }),
            text => Ok(Some(json!(text))),
        }
    }

    /// Opens the issue again, or closes it, as the alerts do.
    async fn follow(
        &self,
        sender: &Sender,
        issue: &Issue,
        is_firing: bool,
    ) -> Result<(), NotifyError> {
        let Some(category) = issue.fields.pointer("/status/statusCategory/key") else {
            return Ok(());
        };
        let is_done = category == "done";
        if is_done != is_firing {
            return Ok(());
        }
        let name = if is_firing { &self.reopen_transition } else { &self.resolve_transition };
        let path = format!("issue/{}/transitions", issue.key);
        let known = self.call(sender, Method::GET, &path, None).await?;
        let Transitions { transitions } = parse(&known)?;
        let Some(transition) = transitions.iter().find(|transition| transition.name == *name)
        else {
            let message = format!("can't find transition {name} for issue {}", issue.key);
            return Err(NotifyError::permanent(message));
        };
        let body = json!({"transition": {"id": transition.id}});
        self.call(sender, Method::POST, &path, Some(&body)).await.map(drop)
    }

    async fn call(
        &self,
        sender: &Sender,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, NotifyError> {
        self.send(sender, method, &self.url(path), body).await
    }

    async fn send(
        &self,
        sender: &Sender,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, NotifyError> {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::ACCEPT_LANGUAGE, HeaderValue::from_static("en")),
        ]);
        let body = body.map(to_go_json).unwrap_or_default();
        let response = sender.http.send(method, url, headers, Bytes::from(body)).await?;
        check_status(&response, &[429])?;
        Ok(response.body)
    }
}

fn parse<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, NotifyError> {
    serde_json::from_slice(body).map_err(|error| NotifyError::permanent(error.to_string()))
}

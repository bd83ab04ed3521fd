{{/*
What `rules.default` stands for: a metric of each series with a namespace label, under its name without `container_`,
`_seconds` and `_total`.
*/}}
{{- define "promql-adapter.defaultRules" -}}
# CPU, memory, disk and network of containers, as cAdvisor counts them: seconds, other counters, gauges.
- seriesQuery: '{__name__=~"container_.+_seconds_total",container!="POD",namespace!="",pod!=""}'
  resources: &pod {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
  name: {matches: ^container_(.+)_seconds_total$, as: $1}
  metricsQuery: &containerRate sum by (<<.GroupBy>>) (rate(<<.Series>>{<<.LabelMatchers>>,container!="POD"}[5m]))
- seriesQuery: '{__name__=~"container_.+_total",__name__!~".+_seconds_total",container!="POD",namespace!="",pod!=""}'
  resources: *pod
  name: {matches: ^container_(.+)_total$, as: $1}
  metricsQuery: *containerRate
- seriesQuery: '{__name__=~"container_.+",__name__!~".+_total",container!="POD",namespace!="",pod!=""}'
  resources: *pod
  name: {matches: ^container_(.+)$, as: $1}
  metricsQuery: sum by (<<.GroupBy>>) (<<.Series>>{<<.LabelMatchers>>,container!="POD"})
# Everything else, for each resource that a label is named after: gauges, counters, seconds.
- seriesQuery: '{__name__!~"container_.*|.*_total",namespace!=""}'
  resources: &all {template: <<.Resource>>}
  metricsQuery: sum by (<<.GroupBy>>) (<<.Series>>{<<.LabelMatchers>>})
- seriesQuery: '{__name__=~".+_total",__name__!~"container_.*|.+_seconds_total",namespace!=""}'
  resources: *all
  name: {matches: ^(.+)_total$, as: $1}
  metricsQuery: &rate sum by (<<.GroupBy>>) (rate(<<.Series>>{<<.LabelMatchers>>}[5m]))
- seriesQuery: '{__name__=~".+_seconds_total",__name__!~"container_.*",namespace!=""}'
  resources: *all
  name: {matches: ^(.+)_seconds_total$, as: $1}
  metricsQuery: *rate
{{- end -}}

{{/* Name of the chart, for labels. */}}
{{- define "promql-adapter.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of nearly all objects: the release, with the chart's name unless that is in it. */}}
{{- define "promql-adapter.fullname" -}}
{{- $name := include "promql-adapter.name" . -}}
{{- $release := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $release | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "promql-adapter.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{- define "promql-adapter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "promql-adapter.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* Labels by which the Service finds its pods; they never change in the life of a release. */}}
{{- define "promql-adapter.selector" -}}
app.kubernetes.io/name: {{ include "promql-adapter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "promql-adapter.labels" -}}
{{ include "promql-adapter.selector" . }}
app.kubernetes.io/component: metrics-api
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.customLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Labels and annotations of an object, below `metadata`.
Given a list: the root, then, if need be, a map of further annotations and a map of further labels.
*/}}
{{- define "promql-adapter.metadata" -}}
{{- $root := first . -}}
{{- $annotations := dict -}}
{{- with index (append . nil) 1 }}{{ $annotations = . }}{{ end -}}
{{- $annotations = merge (deepCopy $annotations) ($root.Values.customAnnotations | default dict) -}}
labels:
  {{- include "promql-adapter.labels" $root | nindent 2 }}
  {{- with index (concat . (list nil nil)) 2 }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The adapter as the subject of a binding. */}}
{{- define "promql-adapter.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "promql-adapter.serviceAccount" . }}
    namespace: {{ include "promql-adapter.namespace" . }}
{{- end -}}

{{/* Whether the certificate is made by the adapter itself; else it comes as files. */}}
{{- define "promql-adapter.selfMade" -}}
{{- if not (or .Values.tls.enable .Values.certManager.enabled) }}yes{{ end -}}
{{- end -}}

{{/* The APIServices that are made, as a JSON list of group, version and priority. */}}
{{- define "promql-adapter.apiServices" -}}
{{- $wanted := .Values.apiServices -}}
{{- $rules := .Values.rules -}}
{{- $custom := ternary (or $rules.default $rules.custom | empty | not) $wanted.custom (kindIs "invalid" $wanted.custom) -}}
{{- $external := ternary ($rules.external | empty | not) $wanted.external (kindIs "invalid" $wanted.external) -}}
{{- $resource := ternary ($rules.resource | empty | not) $wanted.resource (kindIs "invalid" $wanted.resource) -}}
{{- $services := list -}}
{{- if $custom -}}
{{- $services = append $services (dict "group" "custom.metrics.k8s.io" "version" "v1beta1" "priority" 100) -}}
{{- $services = append $services (dict "group" "custom.metrics.k8s.io" "version" "v1beta2" "priority" 200) -}}
{{- end -}}
{{- if $external -}}
{{- $services = append $services (dict "group" "external.metrics.k8s.io" "version" "v1beta1" "priority" 100) -}}
{{- end -}}
{{- if $resource -}}
{{- $services = append $services (dict "group" "metrics.k8s.io" "version" "v1beta1" "priority" 100) -}}
{{- end -}}
{{- $services | toJson -}}
{{- end -}}

{{/* The configuration of each component, as text: what its ConfigMap has, and what its Pods are rolled by. */}}
{{- define "kubetape.configOf" -}}
{{- $root := .root }}
{{- $sources := $root.Values.sources }}
{{- $cluster := dict "name" $root.Values.cluster.name }}
{{- $given := dict "root" $root "component" .component }}
{{- if or (eq .component "all-in-one") (eq .component "collect") }}
{{- if $sources.kubernetes.enabled }}{{ $_ := set $cluster "kubernetes" (include "kubetape.kubernetesSource" $root | fromYaml) }}{{ end }}
{{- if and $sources.etcd.enabled (eq .component "all-in-one") }}{{ $_ := set $cluster "etcd" $sources.etcd.options }}{{ end }}
{{- if $sources.webhook.enabled }}{{ $_ := set $given "webhook" (include "kubetape.webhook" $root | fromYaml) }}{{ end }}
{{- else if eq .component "control-plane" }}
{{- if $sources.etcd.enabled }}
{{- $pki := $sources.etcd.pkiDirectory }}
{{- $kubeadm := dict "endpoints" (list "https://127.0.0.1:2379") "caFile" (printf "%s/ca.crt" $pki) "certFile" (printf "%s/healthcheck-client.crt" $pki) "keyFile" (printf "%s/healthcheck-client.key" $pki) }}
{{- $_ := set $cluster "etcd" (empty $sources.etcd.options.endpoints | not | ternary $sources.etcd.options (merge (deepCopy $sources.etcd.options) $kubeadm)) }}
{{- end }}
{{- if $sources.audit.enabled }}{{ $_ := set $cluster "audit" $sources.audit.options }}{{ end }}
{{- $_ := set $given "port" $root.Values.controlPlane.operationsPort }}
{{- else if eq .component "logs" }}
{{- $_ := set $cluster "logs" (merge (dict "node" "${NODE_NAME}") $sources.logs.options) }}
{{- end }}
{{- $_ := set $given "clusters" (list $cluster) }}
{{- include "kubetape.config" $given }}
{{- end }}

{{/* Names, labels, and the parts that Pods have in common. */}}
{{- define "kubetape.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}{{ $name := default .Chart.Name .Values.nameOverride }}{{ (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* (dict "root" $ "component" NAME) */}}
{{- define "kubetape.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "kubetape.labels" -}}
{{ include "kubetape.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kubetape
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "kubetape.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end }}
{{- end }}

{{- define "kubetape.redactionSecret" -}}
{{ .Values.redaction.existingSecret | default (printf "%s-redaction" (include "kubetape.fullname" .)) }}
{{- end }}

{{/* What a component's kubetape.yaml has; `clusters` and `webhook` come from it. (dict "root" $ "component" NAME "clusters" LIST "webhook" DICT "port" N) */}}
{{- define "kubetape.config" -}}
{{- $config := dict "dataDir" "/data" "logLevel" .root.Values.logLevel "log" .root.Values.log "store" .root.Values.store }}
{{- $_ := set $config "operations" (dict "host" .root.Values.listenHost "port" (.port | default 8482)) }}
{{- $_ := set $config "clusters" .clusters }}
{{- if ne .component "serve" }}{{ if ne .component "process" }}{{ $_ := set $config "redaction" (dict "keyFile" "/etc/kubetape-redaction/redaction.key") }}{{ end }}{{ end }}
{{- with .webhook }}{{ $_ := set $config "webhook" . }}{{ end }}
{{- toYaml $config }}
{{- end }}

{{/* The cluster as the API server's collector records it. */}}
{{- define "kubetape.kubernetesSource" -}}
{{- $source := .Values.sources.kubernetes }}
{{- $options := deepCopy $source.options }}
{{- if and (not $source.secrets) (not $source.everything) }}{{ $_ := set $options "exclude" (append ($options.exclude | default list) "secrets" | uniq) }}{{ end }}
{{- toYaml $options }}
{{- end }}

{{- define "kubetape.webhook" -}}
{{- with .Values.sources.webhook }}
host: {{ $.Values.listenHost | quote }}
port: {{ .port }}
certFile: /etc/kubetape-webhook/tls.crt
keyFile: /etc/kubetape-webhook/tls.key
clientCaFile: /etc/kubetape-webhook-ca/ca.crt
{{- with .clientNames }}
clientNames: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Metadata of a Pod. (dict "root" $ "component" NAME "values" DICT "config" TEXT) */}}
{{- define "kubetape.podMetadata" -}}
labels:
  {{- include "kubetape.labels" . | nindent 2 }}
  {{- with .values.podLabels }}{{ toYaml . | nindent 2 }}{{ end }}
annotations:
  checksum/config: {{ .config | sha256sum }}
  {{- with .values.podAnnotations }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{- define "kubetape.podPlacement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Of Pods that read nothing of the node. */}}
{{- define "kubetape.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* The container of a role. (dict "root" $ "args" LIST "values" DICT "node" BOOL "port" N "ports" TEXT "mounts" TEXT) */}}
{{- define "kubetape.container" -}}
- name: kubetape
  image: {{ include "kubetape.image" .root | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ toJson (concat .args (list "--config" "/etc/kubetape/kubetape.yaml")) }}
  env:
    - name: NODE_NAME
      valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
    {{- with .root.Values.env }}{{ toYaml . | nindent 4 }}{{ end }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
      {{- if .node }}
      # Files of the node are root's, and others'. Reading them is all that is added.
      add: [DAC_READ_SEARCH]
      {{- end }}
  ports:
    - { name: operations, containerPort: {{ .port | default 8482 }} }
    {{- with .ports }}{{ . | nindent 4 }}{{ end }}
  startupProbe:
    httpGet: { path: /livez, port: operations }
    periodSeconds: 2
    failureThreshold: 60
  livenessProbe:
    httpGet: { path: /livez, port: operations }
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  readinessProbe:
    httpGet: { path: /readyz, port: operations }
    periodSeconds: 5
    timeoutSeconds: 5
    failureThreshold: 3
  resources: {{ toYaml .values.resources | nindent 4 }}
  volumeMounts:
    - { name: config, mountPath: /etc/kubetape, readOnly: true }
    - { name: data, mountPath: /data }
    - { name: tmp, mountPath: /tmp }
    {{- with .mounts }}{{ . | nindent 4 }}{{ end }}
    {{- with .root.Values.volumeMounts }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end }}

{{/* Volumes of every Pod but its data. (dict "root" $ "component" NAME) */}}
{{- define "kubetape.volumes" -}}
- name: config
  configMap: { name: {{ include "kubetape.fullname" .root }}-{{ .component }} }
- name: tmp
  emptyDir: { sizeLimit: 256Mi }
{{- with .root.Values.volumes }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end }}

{{- define "kubetape.redactionVolume" -}}
- name: redaction
  secret: { secretName: {{ include "kubetape.redactionSecret" . }}, defaultMode: 0440 }
{{- end }}
{{- define "kubetape.redactionMount" -}}
- { name: redaction, mountPath: /etc/kubetape-redaction, readOnly: true }
{{- end }}

{{- define "kubetape.webhookVolumes" -}}
- name: webhook
  secret: { secretName: {{ .Values.sources.webhook.tlsSecret }}, defaultMode: 0440 }
- name: webhook-ca
  secret: { secretName: {{ .Values.sources.webhook.clientCaSecret }}, defaultMode: 0440, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- define "kubetape.webhookMounts" -}}
- { name: webhook, mountPath: /etc/kubetape-webhook, readOnly: true }
- { name: webhook-ca, mountPath: /etc/kubetape-webhook-ca, readOnly: true }
{{- end }}

{{/* The proxy beside the page. */}}
{{- define "kubetape.proxy" -}}
{{- with .Values.serve.proxy }}
- name: proxy
  image: {{ .image | quote }}
  args: {{ toJson .args }}
  {{- with .env }}
  env: {{ toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - { name: proxy, containerPort: {{ .port }} }
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL] }
  resources: {{ toYaml .resources | nindent 4 }}
  {{- with .volumeMounts }}
  volumeMounts: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The components of this release, as a list. */}}
{{- define "kubetape.components" -}}
{{- if eq .Values.mode "embedded" }}
- all-in-one
{{- else }}
{{- with .Values.sources }}
{{- if or .kubernetes.enabled .webhook.enabled }}
- collect
{{- end }}
{{- if or .etcd.enabled .audit.enabled }}
- control-plane
{{- end }}
{{- if .logs.enabled }}
- logs
{{- end }}
{{- end }}
- process
- serve
{{- end }}
{{- end }}

{{/*
What the four services are: ports, their user on the bus, what they reach. crates/local-stack compares it with its table.

  secrets: key of the service's Secret, and the variable that names the file it is mounted as.
  reach:   what the service may open connections to besides DNS, NATS and the trace collector.
*/}}
{{- define "timeclock.services" -}}
scim-gateway:
  http: 8080
  observe: 9080
  busUser: gateway
  secrets:
    nats-password: TIMECLOCK_NATS_PASSWORD_FILE
    cursor-key: TIMECLOCK_CURSOR_KEY_FILE
  reach: []
token-service:
  http: 8082
  observe: 9082
  busUser: tokens
  migrates: true
  secrets:
    nats-password: TIMECLOCK_NATS_PASSWORD_FILE
    postgres-url: TIMECLOCK_POSTGRES_URL_FILE
    sealing-key: TIMECLOCK_SEALING_KEY_FILE
  reach: [postgres, authority]
admin-console:
  http: 8081
  observe: 9081
  busUser: console
  migrates: true
  secrets:
    nats-password: TIMECLOCK_NATS_PASSWORD_FILE
    postgres-url: TIMECLOCK_POSTGRES_URL_FILE
  reach: [postgres, mail, authority]
directory-service:
  observe: 9083
  busUser: directory
  migrates: true
  secrets:
    nats-password: TIMECLOCK_NATS_PASSWORD_FILE
    postgres-url: TIMECLOCK_POSTGRES_URL_FILE
  reach: [postgres]
{{- end }}

{{/* Where a service's secrets are mounted. */}}
{{- define "timeclock.secretsPath" -}}/run/secrets/timeclock{{- end }}

{{/* The name of an object of a service: (list $ "scim-gateway"). Releases of two names stand beside each other. */}}
{{- define "timeclock.name" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s" ($root.Values.nameOverride | default $root.Release.Name | trunc 40 | trimSuffix "-") (index . 1) -}}
{{- end }}

{{/* What finds the pods of a service; it never changes. */}}
{{- define "timeclock.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "timeclock.labels" -}}
{{- $root := index . 0 -}}
{{ include "timeclock.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: timeclock-365
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* A program's image: by digest where one is given. */}}
{{- define "timeclock.image" -}}
{{- $root := index . 0 -}}
{{- $image := $root.Values.image -}}
{{- $name := index . 1 -}}
{{- $digest := index $image.digests $name | default "" -}}
{{- printf "%s/%s:%s" $image.repository $name ($image.tag | default $root.Chart.AppVersion) -}}
{{- with $digest }}@{{ . }}{{ end -}}
{{- end }}

{{/* What a pod of ours runs as: nobody, with nothing. The image's user is 65532. */}}
{{- define "timeclock.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "timeclock.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

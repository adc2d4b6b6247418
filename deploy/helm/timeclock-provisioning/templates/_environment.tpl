{{/*
The environment of `serve`: (list $ "scim-gateway" $service). Secrets come as files, so that none is in a pod's description.
*/}}
{{- define "timeclock.environment" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := index . 2 -}}
{{- $values := index $root.Values.services $name -}}
{{- $origin := $root.Values.origin | trimSuffix "/" -}}
- { name: TIMECLOCK_NATS_URL, value: {{ $root.Values.nats.url | quote }} }
- { name: TIMECLOCK_NATS_USER, value: {{ $service.busUser | quote }} }
{{- if has $name (list "directory-service" "token-service") }}
- { name: TIMECLOCK_NATS_REPLICAS, value: {{ $root.Values.nats.replicas | quote }} }
{{- end }}
- { name: TIMECLOCK_OBSERVE_ADDR, value: {{ printf "0.0.0.0:%v" $service.observe | quote }} }
- { name: TIMECLOCK_DRAIN_DELAY_MS, value: {{ mul $root.Values.shutdown.drainSeconds 1000 | quote }} }
- { name: TIMECLOCK_SHUTDOWN_DEADLINE_MS, value: {{ mul $root.Values.shutdown.deadlineSeconds 1000 | quote }} }
{{- if $service.http }}
- { name: TIMECLOCK_HTTP_ADDR, value: {{ printf "0.0.0.0:%v" $service.http | quote }} }
- { name: TIMECLOCK_TRUSTED_PROXIES, value: {{ $root.Values.trustedProxies | quote }} }
{{- end }}
{{- if has $name (list "scim-gateway" "admin-console") }}
- { name: TIMECLOCK_SCIM_BASE_URL, value: {{ printf "%s/scim" $origin | quote }} }
{{- end }}
{{- if eq $name "token-service" }}
- { name: TIMECLOCK_TOKEN_URL, value: {{ $origin | quote }} }
{{- end }}
{{- if eq $name "admin-console" }}
- { name: TIMECLOCK_CONSOLE_URL, value: {{ $origin | quote }} }
{{- if $root.Values.mail.enabled }}
- { name: TIMECLOCK_MAIL_FROM, value: {{ $root.Values.mail.from | quote }} }
{{- end }}
{{- end }}
{{- range $key, $variable := include "timeclock.secretKeys" . | fromYaml }}
- { name: {{ $variable }}, value: {{ printf "%s/%s" (include "timeclock.secretsPath" $root) $key | quote }} }
{{- end }}
{{- with $root.Values.tracing.endpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }} }
- name: POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- { name: OTEL_RESOURCE_ATTRIBUTES, value: {{ printf "k8s.namespace.name=%s,k8s.pod.name=$(POD_NAME)" $root.Release.Namespace | quote }} }
{{- end }}
{{- if and $root.Values.tracing.endpoint $root.Values.tracing.headersSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: { secretKeyRef: { name: {{ $root.Values.tracing.headersSecret }}, key: headers } }
{{- end }}
{{- range $variable, $value := merge (dict) $values.env $root.Values.env }}
- { name: {{ $variable }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- end }}

{{/* Which keys of its Secret a service reads, and by which variables it learns where they are. */}}
{{- define "timeclock.secretKeys" -}}
{{- $root := index . 0 -}}
{{- $service := index . 2 -}}
{{- $keys := $service.secrets -}}
{{- if and (eq (index . 1) "admin-console") $root.Values.mail.enabled -}}
{{- $keys = merge (dict "mail-url" "TIMECLOCK_MAIL_URL_FILE") $keys -}}
{{- end -}}
{{- if and (eq (index . 1) "admin-console") $root.Values.signIn.signingKey -}}
{{- $keys = merge (dict "sign-in-signing-key" "TIMECLOCK_SIGN_IN_SIGNING_KEY_FILE") $keys -}}
{{- end -}}
{{- if and (eq (index . 1) "token-service") $root.Values.sealing.previousKey -}}
{{- $keys = merge (dict "previous-sealing-key" "TIMECLOCK_PREVIOUS_SEALING_KEY_FILE") $keys -}}
{{- end -}}
{{- toYaml $keys -}}
{{- end }}

{{/* The name of the existing Secret of a service. */}}
{{- define "timeclock.secretName" -}}
{{- $root := index . 0 -}}
{{- (index $root.Values.services (index . 1)).secret | default (index . 1) -}}
{{- end }}

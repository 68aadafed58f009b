{#- How much of a stretch of time was observed: one rule for people and cameras. -#}

{#- Microseconds for which an event vouches: until the next event of the same worker (null if there is none), at most
    LAST_EVENT_MINUTES, and never past the window's end. -#}
{% macro vouched_microseconds(event_at, next_event_at, ended_at, last_event_microseconds) -%}
    least(
        {{ microseconds_between(event_at, "least(coalesce(" ~ next_event_at ~ ", " ~ ended_at ~ "), " ~ ended_at ~ ")") }},
        {{ last_event_microseconds }}
    )
{%- endmacro %}

{#- Minutes as whole microseconds (bigint). -#}
{% macro minutes(number) -%} cast({{ number }} as bigint) * 60000000 {%- endmacro %}

{#- Whether a registry's row applies to a shift date: by its range (both ends included) and its weekdays. -#}

{% macro holds_on(row, date) -%}
    ({{ row }}.valid_from is null or {{ date }} >= {{ row }}.valid_from)
    and ({{ row }}.valid_to is null or {{ date }} <= {{ row }}.valid_to)
    and ({{ row }}.weekdays is null or {{ row }}.weekdays like concat('%', {{ weekday(date) }}, '%'))
{%- endmacro %}

{#- The day of the week as in registries: mon to sun. -#}
{% macro weekday(date) -%}
    substr('montuewedthufrisatsun', 1 + 3 * cast({{ days_since_monday(date) }} as integer), 3)
{%- endmacro %}

{#- Days since the Monday of a date's week. -#}
{% macro days_since_monday(date) -%} {{ adapter.dispatch('days_since_monday', 'floorhouse')(date) }} {%- endmacro %}
{% macro duckdb__days_since_monday(date) -%} (isodow({{ date }}) - 1) {%- endmacro %}
{% macro spark__days_since_monday(date) -%} weekday({{ date }}) {%- endmacro %}

{#- Whether the site of a row is closed on its shift date, by a closure of the site or of all sites. -#}
{% macro is_closed(closures, row) -%}
    exists (
        select 1
        from {{ closures }}
        where {{ closures }}.site_id in ({{ row }}.site_id, '*')
            and {{ row }}.shift_date >= {{ closures }}.from_date
            and {{ row }}.shift_date <= {{ closures }}.to_date
    )
{%- endmacro %}

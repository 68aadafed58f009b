{#- Sums and means that are equal to the last bit in any order of the rows. -#}

{#- Seconds (double) of a sum of whole microseconds, by a single division. -#}
{% macro seconds(microseconds) -%} {{ microseconds }} / 1000000.0 {%- endmacro %}

{#- Units per hour of a duration in microseconds; null if the duration is 0. -#}
{% macro per_hour(units, microseconds) -%} {{ units }} * 3600000000.0 / nullif({{ microseconds }}, 0) {%- endmacro %}

{#- Units expected in a duration in microseconds at a rate of units per hour. -#}
{% macro units_in(units_per_hour, microseconds) -%} {{ units_per_hour }} * {{ microseconds }} / 3600000000.0 {%- endmacro %}

{#- A ratio of two whole numbers (double); null if the denominator is 0. -#}
{% macro ratio(numerator, denominator) -%} cast({{ numerator }} as double) / nullif({{ denominator }}, 0) {%- endmacro %}

{#- The whole part of a quotient of two whole numbers (bigint), neither of them negative, up to 2^53. -#}
{% macro whole_quotient(numerator, denominator) -%}
    cast((({{ numerator }}) - ({{ numerator }}) % {{ denominator }}) / {{ denominator }} as bigint)
{%- endmacro %}

{#- A sum of whole numbers as bigint (DuckDB's own is hugeint, which a model contract refuses). -#}
{% macro whole_sum(expression) -%} cast(coalesce(sum({{ expression }}), 0) as bigint) {%- endmacro %}

{#- A sum of doubles (up to 2^40 in all), added as integers: scaling by a power of two loses nothing above 2^-64, and
    integers add in any order. Null without a value. -#}
{% macro exact_sum(expression) -%}
    cast(sum(cast({{ expression }} * 18446744073709551616.0 as {{ wide_integer() }})) as double)
        / 18446744073709551616.0
{%- endmacro %}

{#- The mean of such doubles, with one more division. Null without a value. -#}
{% macro exact_mean(expression) -%}
    {{ exact_sum(expression) }} / nullif(count({{ expression }}), 0)
{%- endmacro %}

{% macro wide_integer() -%} {{ adapter.dispatch('wide_integer', 'floorhouse')() }} {%- endmacro %}
{% macro duckdb__wide_integer() -%} hugeint {%- endmacro %}
{% macro spark__wide_integer() -%} decimal(38, 0) {%- endmacro %}

{#- A pair of values that compares by the first value, then by the second. -#}
{% macro pair(first, second) -%} {{ adapter.dispatch('pair', 'floorhouse')(first, second) }} {%- endmacro %}
{% macro duckdb__pair(first, second) -%} {'first': {{ first }}, 'second': {{ second }}} {%- endmacro %}
{% macro spark__pair(first, second) -%} named_struct('first', {{ first }}, 'second', {{ second }}) {%- endmacro %}

{#- A quantile with linear interpolation between the two nearest values. -#}
{% macro quantile(expression, fraction) -%} {{ adapter.dispatch('quantile', 'floorhouse')(expression, fraction) }} {%- endmacro %}
{% macro duckdb__quantile(expression, fraction) -%} quantile_cont({{ expression }}, {{ fraction }}) {%- endmacro %}
{% macro spark__quantile(expression, fraction) -%} percentile({{ expression }}, {{ fraction }}) {%- endmacro %}

{#- A hash (64 bits) of several values, to find rows that may be equal; equal rows have equal hashes. -#}
{% macro hash_of(columns) -%} {{ adapter.dispatch('hash_of', 'floorhouse')(columns) }} {%- endmacro %}
{% macro duckdb__hash_of(columns) -%} hash({{ columns | join(', ') }}) {%- endmacro %}
{% macro spark__hash_of(columns) -%} xxhash64({{ columns | join(', ') }}) {%- endmacro %}

{#- The next value that is not null, in the order of a named window; null where there is none. -#}
{% macro next_known(expression, in_window) -%} {{ adapter.dispatch('next_known', 'floorhouse')(expression, in_window) }} {%- endmacro %}
{% macro duckdb__next_known(expression, in_window) -%} lead({{ expression }} ignore nulls) over {{ in_window }} {%- endmacro %}
{% macro spark__next_known(expression, in_window) -%} lead({{ expression }}) ignore nulls over {{ in_window }} {%- endmacro %}

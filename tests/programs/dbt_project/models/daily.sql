{{ config(materialized='incremental', unique_key='id', on_schema_change='append_new_columns') }}
select id, day, capacity, current_timestamp() as loaded_at from {{ ref('staged') }}
{% if is_incremental() %} where day >= (select max(day) from {{ this }}) {% endif %}

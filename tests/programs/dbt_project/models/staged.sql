{{ config(materialized='view') }}
select id, name, day, capacity, coalesce(note, '-') as note from {{ ref('points') }}

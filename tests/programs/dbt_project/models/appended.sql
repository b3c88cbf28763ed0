{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='id', transient=false) }}
select id, name from {{ ref('staged') }}

select file
from {{ source('raw', 'registry_files') }}
where content_hash <> ''

-- A generated case, in sets on the server: about twelve rows a document over every table, spread as in a real review.
-- `{documents}` is replaced by their number. The same number gives the same rows: chance comes from CRC32 of the ids.

SET foreign_key_checks = 0;

INSERT INTO users (id, email, name)
SELECT seq, CONCAT('reviewer', seq, '@firm.example'), CONCAT('Reviewer ', seq) FROM seq_1_to_20;

INSERT INTO custodians (id, name, email)
SELECT seq, CONCAT('Custodian ', seq), CONCAT('custodian', seq, '@client.example') FROM seq_1_to_60;

INSERT INTO confidentiality_codes (id, name, bit_index)
SELECT seq, CONCAT('Confidential, level ', seq), seq - 1 FROM seq_1_to_6;

INSERT INTO label_categories (id, name, position) SELECT seq, CONCAT('Category ', seq), seq FROM seq_1_to_8;

INSERT INTO labels (id, name, color, description)
SELECT seq, CONCAT('Issue ', seq), CONCAT('#', LPAD(HEX(seq * 4001 % 16777216), 6, '0')), CONCAT('What matters in issue ', seq)
FROM seq_1_to_50;

INSERT INTO label_category_labels (label_category_id, label_id) SELECT 1 + seq % 8, seq FROM seq_1_to_50;

-- Eight folders at the top, eight in each of them.
INSERT INTO folder_tags (id, parent_id, name)
SELECT seq, IF(seq <= 8, NULL, 1 + (seq - 1) % 8), CONCAT('Folder ', seq) FROM seq_1_to_72;

INSERT INTO custom_fields (id, name, field_type, choices)
SELECT seq, CONCAT('Field ', seq), ELT(1 + seq % 3, 'text', 'date', 'choice'), IF(seq % 3 = 2, '["yes", "no"]', NULL)
FROM seq_1_to_12;

-- Of five documents in a row the first is an e-mail with the next two attached.
INSERT INTO documents
  (id, parent_id, file_name, mime_type, title, author, size, page_count, is_email, status, document_date, sent_at, received_at)
SELECT
  seq,
  IF(seq % 5 IN (2, 3), seq - seq % 5 + 1, NULL),
  CONCAT('GLX-', LPAD(seq, 8, '0'), IF(seq % 5 = 1, '.eml', '.docx')),
  IF(seq % 5 = 1, 'message/rfc822', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
  CONCAT('Re: delivery and acceptance of lot ', CRC32(seq) % 9000, ', Größe ', seq % 17),
  CONCAT('Author ', CRC32(seq) % 900),
  2000 + CRC32(seq) % 900000,
  1 + CRC32(seq) % 3,
  seq % 5 = 1,
  seq % 4,
  '2019-01-01' + INTERVAL CRC32(seq) % 1500 DAY,
  IF(seq % 5 = 1, '2019-01-01 08:00:00.250000' + INTERVAL CRC32(seq) % 90000000 SECOND, NULL),
  IF(seq % 5 = 1, '2019-01-01 08:00:04.500000' + INTERVAL CRC32(seq) % 90000000 SECOND, NULL)
FROM seq_1_to_{documents};

INSERT INTO document_variants (document_id, role, s3_key, size, sha256)
SELECT d.id, ELT(n.seq, 'document', 'native', 'text'), CONCAT('case_1/files/', d.id, ELT(n.seq, '.pdf', '.bin', '.txt')), d.size, SHA2(d.id * 4 + n.seq, 256)
FROM documents d JOIN seq_1_to_3 n ON n.seq <> 2 OR d.id % 2 = 0;

-- One exhibit for each document.
INSERT INTO exhibits (id, document_id, title, number, document_properties, confidentiality_status, relevancy)
SELECT
  id,
  id,
  title,
  id,
  CONCAT('{"pages": ', page_count, ', "producer": "scanner ', id % 7, '"}'),
  IF(id % 5 = 0, 1 << id DIV 5 % 6, 0),
  ELT(1 + CRC32(id) % 5, 'relevant', 'not_relevant', 'privileged', 'unsure')
FROM documents;

-- The pages, with their OCR text.
INSERT INTO attachments (exhibit_id, position, text_key, width, height)
SELECT d.id, n.seq, CONCAT('case_1/files/', d.id, '.txt'), 595.2756, 841.8898
FROM documents d JOIN seq_1_to_3 n ON n.seq <= d.page_count;

INSERT INTO custodian_exhibits (custodian_id, exhibit_id, is_primary)
SELECT 1 + (d.id + n.seq) % 60, d.id, n.seq = 1
FROM documents d JOIN seq_1_to_2 n ON n.seq = 1 OR d.id % 5 = 4;

INSERT INTO confidentiality_logs (exhibit_id, confidentiality_code_id, user_id, action, note)
SELECT id, 1 + id DIV 5 % 6, 1 + id % 20, 'set', CONCAT('As agreed on day ', id % 365) FROM documents WHERE id % 5 = 0;

INSERT INTO relevancy_logs (exhibit_id, user_id, old_relevancy, new_relevancy)
SELECT id, 1 + id % 20, NULL, 'relevant' FROM documents WHERE id % 5 < 2;

INSERT INTO exhibit_labels (exhibit_id, label_id) SELECT id, 1 + CRC32(id) % 50 FROM documents WHERE id % 10 < 8;

INSERT INTO folder_taggings (folder_tag_id, exhibit_id) SELECT 9 + CRC32(id) % 64, id FROM documents;

INSERT INTO custom_field_values (custom_field_id, exhibit_id, value)
SELECT 1 + (d.id + n.seq) % 12, d.id, CONCAT('value ', CRC32(d.id) % 5000, ' of field ', n.seq)
FROM documents d JOIN seq_1_to_2 n ON n.seq = 1 OR d.id % 2 = 0;

INSERT INTO bates_stamps (exhibit_id, position, prefix, number, stamp)
SELECT d.id, n.seq, 'GLX', d.id * 3 + n.seq, CONCAT('GLX', LPAD(d.id * 3 + n.seq, 9, '0'))
FROM documents d JOIN seq_1_to_3 n ON n.seq <= d.page_count WHERE d.id % 2 = 0;

-- Of ten documents one has a comment and an answer.
INSERT INTO comments (id, exhibit_id, parent_id, user_id, position, body)
SELECT d.id * 2 + n.seq, d.id, IF(n.seq = 1, d.id * 2, NULL), 1 + (d.id DIV 10 + n.seq) % 20, 1, CONCAT('Please compare with lot ', CRC32(d.id) % 9000, ' before we answer; the dates on page ', n.seq + 1, ' do not fit.')
FROM documents d JOIN seq_0_to_1 n WHERE d.id % 10 = 3;

SET foreign_key_checks = 1;

-- What no document refers to does not travel, so it is not in the case.
DELETE FROM users WHERE id NOT IN (SELECT user_id FROM confidentiality_logs UNION SELECT user_id FROM relevancy_logs UNION SELECT user_id FROM comments);
DELETE FROM custodians WHERE id NOT IN (SELECT custodian_id FROM custodian_exhibits);
DELETE FROM confidentiality_codes WHERE id NOT IN (SELECT confidentiality_code_id FROM confidentiality_logs);
DELETE FROM labels WHERE id NOT IN (SELECT label_id FROM exhibit_labels);
DELETE FROM label_categories WHERE id NOT IN (SELECT label_category_id FROM label_category_labels);
DELETE FROM folder_tags WHERE id > 8 AND id NOT IN (SELECT folder_tag_id FROM folder_taggings);
DELETE FROM folder_tags WHERE id <= 8 AND id NOT IN (SELECT * FROM (SELECT parent_id FROM folder_tags WHERE parent_id IS NOT NULL) parents);
DELETE FROM custom_fields WHERE id NOT IN (SELECT custom_field_id FROM custom_field_values);

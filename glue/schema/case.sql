-- The schema of one case: `{DB_NAME_PREFIX}_{case_id}`. Runs on MySQL 8 and MariaDB 10.6 or newer.
--
-- A document is what was collected; families (an e-mail and its attachments) are documents with a parent. An exhibit is
-- a document as reviewers work on it: codes, labels, folders, custodians and fields hang on exhibits. The collation
-- compares without regard to case and accents, and tells emoji apart.

SET NAMES utf8mb4;

-- People who work in the case; logs and comments refer to them.
CREATE TABLE users (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  email VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY users_email (email)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE documents (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  -- The document that this one was attached to.
  parent_id BIGINT UNSIGNED NULL,
  file_name VARCHAR(1024) NOT NULL,
  mime_type VARCHAR(255) NOT NULL DEFAULT 'application/octet-stream',
  title VARCHAR(1024) NULL,
  author VARCHAR(255) NULL,
  size BIGINT UNSIGNED NOT NULL DEFAULT 0,
  page_count INT UNSIGNED NULL,
  -- The batch in which it came into the case: part of the names of its exhibits in Document Engine.
  batch_id VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  is_email TINYINT(1) NOT NULL DEFAULT 0,
  -- Review status: 0 new, 1 in review, 2 reviewed, 3 held back.
  status TINYINT(1) NOT NULL DEFAULT 0,
  bates_first VARCHAR(64) NULL,
  bates_last VARCHAR(64) NULL,
  document_date DATE NULL,
  sent_at DATETIME(6) NULL,
  received_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY documents_parent (parent_id),
  CONSTRAINT documents_parent FOREIGN KEY (parent_id) REFERENCES documents (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

-- The files of a document, one object on S3 each.
CREATE TABLE document_variants (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  document_id BIGINT UNSIGNED NOT NULL,
  -- The PDF that reviewers see, the file as it was collected, or extracted text.
  role ENUM('document', 'native', 'text') NOT NULL,
  s3_key VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  size BIGINT UNSIGNED NOT NULL,
  -- Lower-case hex of the content, where it is known.
  sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY document_variants_document (document_id),
  CONSTRAINT document_variants_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE exhibits (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  document_id BIGINT UNSIGNED NOT NULL,
  title VARCHAR(1024) NULL,
  -- The number field. An exchanged exhibit carries the id of its source exhibit here.
  number BIGINT UNSIGNED NULL,
  -- What processors found out about the file; an exchanged exhibit starts without it.
  document_properties JSON NULL,
  -- Bit n is set where the code with bit_index n of confidentiality_codes applies.
  confidentiality_status BIGINT UNSIGNED NOT NULL DEFAULT 0,
  relevancy ENUM('relevant', 'not_relevant', 'privileged', 'unsure') NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY exhibits_document (document_id),
  CONSTRAINT exhibits_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

-- The pages of an exhibit.
CREATE TABLE attachments (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  position INT UNSIGNED NOT NULL,
  -- The page's text on S3, where there is one.
  text_key VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  width DECIMAL(12, 4) NULL,
  height DECIMAL(12, 4) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY attachments_position (exhibit_id, position),
  CONSTRAINT attachments_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE custodians (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  email VARCHAR(255) NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY custodians_name (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE custodian_exhibits (
  custodian_id BIGINT UNSIGNED NOT NULL,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  -- The one that the file was collected from, as against those who held a duplicate.
  is_primary TINYINT(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (exhibit_id, custodian_id),
  KEY custodian_exhibits_custodian (custodian_id),
  CONSTRAINT custodian_exhibits_custodian FOREIGN KEY (custodian_id) REFERENCES custodians (id) ON DELETE CASCADE,
  CONSTRAINT custodian_exhibits_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE confidentiality_codes (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  bit_index TINYINT UNSIGNED NOT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY confidentiality_codes_name (name),
  UNIQUE KEY confidentiality_codes_bit (bit_index),
  CONSTRAINT confidentiality_codes_bit_range CHECK (bit_index <= 63)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE confidentiality_logs (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  confidentiality_code_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NULL,
  action ENUM('set', 'cleared') NOT NULL,
  note TEXT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY confidentiality_logs_exhibit (exhibit_id),
  KEY confidentiality_logs_code (confidentiality_code_id),
  KEY confidentiality_logs_user (user_id),
  CONSTRAINT confidentiality_logs_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE,
  CONSTRAINT confidentiality_logs_code FOREIGN KEY (confidentiality_code_id) REFERENCES confidentiality_codes (id) ON DELETE CASCADE,
  CONSTRAINT confidentiality_logs_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE relevancy_logs (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NULL,
  old_relevancy ENUM('relevant', 'not_relevant', 'privileged', 'unsure') NULL,
  new_relevancy ENUM('relevant', 'not_relevant', 'privileged', 'unsure') NULL,
  note TEXT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY relevancy_logs_exhibit (exhibit_id),
  KEY relevancy_logs_user (user_id),
  CONSTRAINT relevancy_logs_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE,
  CONSTRAINT relevancy_logs_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE label_categories (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  position INT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY label_categories_name (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

-- Labels are what reviewers call issues.
CREATE TABLE labels (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  color CHAR(7) NULL,
  description TEXT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY labels_name (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE label_category_labels (
  label_category_id BIGINT UNSIGNED NOT NULL,
  label_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (label_category_id, label_id),
  KEY label_category_labels_label (label_id),
  CONSTRAINT label_category_labels_category FOREIGN KEY (label_category_id) REFERENCES label_categories (id) ON DELETE CASCADE,
  CONSTRAINT label_category_labels_label FOREIGN KEY (label_id) REFERENCES labels (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE exhibit_labels (
  exhibit_id BIGINT UNSIGNED NOT NULL,
  label_id BIGINT UNSIGNED NOT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (exhibit_id, label_id),
  KEY exhibit_labels_label (label_id),
  CONSTRAINT exhibit_labels_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE,
  CONSTRAINT exhibit_labels_label FOREIGN KEY (label_id) REFERENCES labels (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

-- Folders, a tree: a folder without a parent is at the top.
CREATE TABLE folder_tags (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  parent_id BIGINT UNSIGNED NULL,
  name VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY folder_tags_parent (parent_id, name),
  CONSTRAINT folder_tags_parent FOREIGN KEY (parent_id) REFERENCES folder_tags (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE folder_taggings (
  folder_tag_id BIGINT UNSIGNED NOT NULL,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (exhibit_id, folder_tag_id),
  KEY folder_taggings_folder (folder_tag_id),
  CONSTRAINT folder_taggings_folder FOREIGN KEY (folder_tag_id) REFERENCES folder_tags (id) ON DELETE CASCADE,
  CONSTRAINT folder_taggings_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE custom_fields (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  field_type ENUM('text', 'number', 'date', 'boolean', 'choice') NOT NULL,
  -- The choices of a field of type 'choice': a JSON list of strings.
  choices JSON NULL,
  PRIMARY KEY (id),
  UNIQUE KEY custom_fields_name (name, field_type)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE TABLE custom_field_values (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  custom_field_id BIGINT UNSIGNED NOT NULL,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  value TEXT NULL,
  PRIMARY KEY (id),
  KEY custom_field_values_exhibit (exhibit_id, custom_field_id),
  KEY custom_field_values_field (custom_field_id),
  CONSTRAINT custom_field_values_field FOREIGN KEY (custom_field_id) REFERENCES custom_fields (id) ON DELETE CASCADE,
  CONSTRAINT custom_field_values_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

-- A Bates number printed on one page of an exhibit.
CREATE TABLE bates_stamps (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  position INT UNSIGNED NOT NULL,
  prefix VARCHAR(64) NOT NULL,
  number BIGINT UNSIGNED NOT NULL,
  -- Prefix and number as printed, with leading zeros.
  stamp VARCHAR(128) NOT NULL,
  PRIMARY KEY (id),
  KEY bates_stamps_exhibit (exhibit_id, position),
  KEY bates_stamps_stamp (stamp),
  CONSTRAINT bates_stamps_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

-- Comments on an exhibit; an answer has the comment that it answers as parent.
CREATE TABLE comments (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  exhibit_id BIGINT UNSIGNED NOT NULL,
  parent_id BIGINT UNSIGNED NULL,
  user_id BIGINT UNSIGNED NULL,
  position INT UNSIGNED NULL,
  body TEXT NOT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY comments_exhibit (exhibit_id),
  KEY comments_parent (parent_id),
  KEY comments_user (user_id),
  CONSTRAINT comments_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE,
  CONSTRAINT comments_parent FOREIGN KEY (parent_id) REFERENCES comments (id) ON DELETE CASCADE,
  CONSTRAINT comments_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

-- The text of the pages of exhibits as they are shown, to be searched: MATCH (content) AGAINST (…). Made anew in each
-- case and never copied, because what a redaction hides in one case is in the index of the other.
CREATE TABLE exhibit_texts (
  exhibit_id BIGINT UNSIGNED NOT NULL,
  position INT UNSIGNED NOT NULL,
  content MEDIUMTEXT NOT NULL,
  PRIMARY KEY (exhibit_id, position),
  FULLTEXT KEY exhibit_texts_content (content),
  CONSTRAINT exhibit_texts_exhibit FOREIGN KEY (exhibit_id) REFERENCES exhibits (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;

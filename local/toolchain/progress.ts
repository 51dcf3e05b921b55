/** Told, in one line, what is being done. */
export type Progress = (message: string) => void;

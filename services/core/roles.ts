/** What a caller may do. `reason`: ask models; `observe`: read engines, metrics and events; `operate`: change what runs. */
export const ROLES = ['reason', 'observe', 'operate'] as const;
export type Role = (typeof ROLES)[number];

// The role that each method needs. A method without a row here is refused for everybody: see roles.test.ts in api/.
import { ROLES, type Role } from '../core/roles.ts';

/** ANYBODY includes callers without credentials. */
type Access = readonly Role[] | 'ANYBODY';

export const REASON = ['reason'] as const;
export const OBSERVE = ['observe', 'operate'] as const;
export const OPERATE = ['operate'] as const;

/** By path. A caller needs one of the roles. */
export const ACCESS: Readonly<Record<string, Access>> = {
  '/tandem.v1.ReasoningService/Ping': ROLES,
  '/tandem.v1.ReasoningService/Reason': REASON,
  '/tandem.v1.ReasoningService/ReasonBatch': REASON,
  '/tandem.v1.ReasoningService/ReasonStream': REASON,
  '/tandem.v1.ModelService/ListModels': ROLES,
  '/tandem.v1.ModelService/GetModel': ROLES,
  '/tandem.v1.ModelService/LoadModel': OPERATE,
  '/tandem.v1.ModelService/UnloadModel': OPERATE,
  '/tandem.v1.ModelService/MakeGolden': OPERATE,
  '/tandem.v1.EngineAdminService/ListEngines': OBSERVE,
  '/tandem.v1.EngineAdminService/RegisterEngine': OPERATE,
  '/tandem.v1.EngineAdminService/RemoveEngine': OPERATE,
  '/tandem.v1.EngineAdminService/DrainEngine': OPERATE,
  '/tandem.v1.EngineAdminService/ReadmitEngine': OPERATE,
  '/tandem.v1.EngineAdminService/SetStrategy': OPERATE,
  '/tandem.v1.EngineAdminService/ReplayInput': OPERATE,
  '/tandem.v1.SettingsService/ReloadSettings': OPERATE,
  '/tandem.v1.SessionService/ListSessions': OBSERVE,
  '/tandem.v1.SessionService/EndSession': OPERATE,
  '/tandem.v1.MetricsService/GetMetrics': OBSERVE,
  '/tandem.v1.MetricsService/WatchMetrics': OBSERVE,
  '/tandem.v1.MetricsService/ResetMetrics': OPERATE,
  '/tandem.v1.EventService/Subscribe': OBSERVE,
  '/tandem.v1.EventService/Publish': REASON,
  '/tandem.v1.LearningService/Coordinate': REASON,
  '/tandem.v1.LearningService/Learn': OPERATE,
  '/tandem.v1.LearningService/GetLearningState': OBSERVE,
  '/tandem.v1.LearningService/RollBackStudent': OPERATE,
  '/tandem.v1.OperationService/ListOperations': OBSERVE,
  '/tandem.v1.OperationService/GetOperation': OBSERVE,
  '/tandem.v1.OperationService/CancelOperation': OPERATE,
  '/tandem.v1.AgentService/Query': REASON,
  '/tandem.v1.AgentService/IndexCorpus': OPERATE,
  '/tandem.v1.AgentService/AnalyzeGoal': REASON,
  '/tandem.v1.AgentService/DecomposeTask': REASON,
  '/inference.GRPCInferenceService/ServerLive': 'ANYBODY',
  '/inference.GRPCInferenceService/ServerReady': 'ANYBODY',
  '/inference.GRPCInferenceService/ModelReady': ROLES,
  '/inference.GRPCInferenceService/ServerMetadata': ROLES,
  '/inference.GRPCInferenceService/ModelMetadata': ROLES,
  '/inference.GRPCInferenceService/ModelInfer': REASON,
  '/inference.GRPCInferenceService/ModelStreamInfer': REASON,
  '/inference.GRPCInferenceService/ModelConfig': ROLES,
  '/inference.GRPCInferenceService/ModelStatistics': OBSERVE,
  '/inference.GRPCInferenceService/RepositoryIndex': ROLES,
  '/inference.GRPCInferenceService/RepositoryModelLoad': OPERATE,
  '/inference.GRPCInferenceService/RepositoryModelUnload': OPERATE,
  // Load balancers and probes have no credentials.
  '/grpc.health.v1.Health/Check': 'ANYBODY',
  '/grpc.health.v1.Health/Watch': 'ANYBODY',
  '/grpc.health.v1.Health/List': 'ANYBODY',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': ROLES,
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': ROLES,
};

package dissect

// WebClass is the class of records that a path names: the first part of it
// that is the name of a FHIR resource type, or a level of DICOMweb. It is one
// of a closed list, so it can hold no identifier.
type WebClass uint8

// webClasses are the names, in the order of their numbers from 1: the levels
// of DICOMweb (DICOM PS3.18), then the resource types of FHIR (releases 2 to 5)
// that a hospital's systems exchange.
const webClasses = " studies series instances workitems metadata" +
	" Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary" +
	" BodySite BodyStructure Bundle CapabilityStatement CarePlan CareTeam ChargeItem Claim ClaimResponse ClinicalImpression" +
	" CodeSystem Communication CommunicationRequest Composition ConceptMap Condition Conformance Consent Contract Coverage" +
	" DetectedIssue Device DeviceAlert DeviceAssociation DeviceComponent DeviceDefinition DeviceDispense DeviceMetric" +
	" DeviceRequest DeviceUsage DeviceUseRequest DeviceUseStatement DiagnosticOrder DiagnosticReport DocumentManifest" +
	" DocumentReference Encounter Endpoint EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Flag Goal Group" +
	" HealthcareService ImagingManifest ImagingSelection ImagingStudy Immunization ImmunizationRecommendation Invoice Library" +
	" Linkage List Location Measure MeasureReport Media Medication MedicationAdministration MedicationDispense" +
	" MedicationKnowledge MedicationOrder MedicationRequest MedicationStatement MessageDefinition MessageHeader" +
	" NutritionIntake NutritionOrder Observation ObservationDefinition OperationDefinition OperationOutcome Order Organization" +
	" OrganizationAffiliation Parameters Patient PlanDefinition Practitioner PractitionerRole Procedure ProcedureRequest" +
	" Provenance Questionnaire QuestionnaireResponse ReferralRequest RelatedPerson RequestGroup RequestOrchestration" +
	" ResearchStudy ResearchSubject RiskAssessment Schedule SearchParameter ServiceRequest Slot Specimen StructureDefinition" +
	" Subscription SubscriptionStatus SubscriptionTopic Substance SupplyDelivery SupplyRequest Task TerminologyCapabilities" +
	" Transport ValueSet VisionPrescription "

// webMetadata is the number of "metadata", the first name of FHIR.
const webMetadata WebClass = 5

// String is the name, or "".
func (c WebClass) String() string {
	n := WebClass(0)
	for start, i := 1, 1; i < len(webClasses); i++ {
		if webClasses[i] != ' ' {
			continue
		}
		if n++; n == c {
			return webClasses[start:i]
		}
		start = i + 1
	}
	return ""
}

// maxWebParts is how many parts of a path are looked at: each is compared with
// all names.
const maxWebParts = 16

// read finds the first part of a path that is a name of FHIR or of DICOMweb.
func (c *WebClass) read(path []byte, dicom bool) {
	*c = 0
	for parts, more := 0, true; more && parts < maxWebParts; parts++ {
		var part []byte
		part, path, more = cutByte(path, '/')
		n := WebClass(0)
		for start, i := 1, 1; i < len(webClasses) && len(part) > 0; i++ {
			if webClasses[i] != ' ' {
				continue
			}
			n++
			if (n < webMetadata) == dicom && webClasses[start:i] == string(part) {
				*c = n
				return
			}
			start = i + 1
		}
	}
}
